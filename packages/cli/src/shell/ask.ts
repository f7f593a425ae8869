import process from 'node:process'
import { confirm, isCancel, password, text } from '@clack/prompts'
import { Interrupted } from '../failure/failure.ts'
import type { Ask } from './shell.ts'

/** Asks on the terminal, beside standard output, which may be a file. */
export function terminalAsk(signal: AbortSignal): Ask {
  const common = { signal, output: process.stderr }
  return {
    confirm: async (message) => answered(await confirm({ ...common, message, initialValue: false })),
    text: async (message, { initial, example }) =>
      answered(
        await text({
          ...common,
          message,
          ...(initial !== undefined && { initialValue: initial }),
          ...(example !== undefined && { placeholder: example }),
        }),
      ),
    secret: async (message) => answered(await password({ ...common, message })),
  }
}

function answered<T>(value: T): Exclude<T, symbol> {
  if (isCancel(value)) throw new Interrupted()
  return value as Exclude<T, symbol>
}
