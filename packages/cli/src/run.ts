import { CommanderError } from 'commander'
import { EXIT_CODES } from './failure/exit-codes.ts'
import { explain } from './failure/explain.ts'
import { Failure } from './failure/failure.ts'
import { makeProgram } from './program.ts'
import { paintFor } from './render/colour.ts'
import { printable } from './render/table.ts'
import { renderJson } from './render/write.ts'
import type { Shell } from './shell/shell.ts'

/** Runs the command that the arguments name; answers the exit code. */
export async function run(args: readonly string[], shell: Shell): Promise<number> {
  try {
    await makeProgram(shell).parseAsync(args, { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    const failure = error instanceof CommanderError ? ofParser(error) : explain(error)
    await shell.err.write(args.includes('--json') ? jsonOf(failure) : textOf(failure, shell))
    return EXIT_CODES[failure.exit]
  }
}

function ofParser({ code, message }: CommanderError): Failure {
  const [first = '', ...more] = message.replace(/^error: /, '').split('\n')
  if (code === 'commander.help')
    return new Failure('usage', 'No command was given.', { next: 'posthorn --help' })
  const details = more.map((line) => line.replace(/^\(|\)$/g, '')).filter((line) => line !== '')
  return new Failure('usage', `${first[0]?.toUpperCase() ?? ''}${first.slice(1)}.`.replace(/\.\.$/, '.'), {
    details,
    next: 'posthorn --help, or --help after a command, shows what there is.',
  })
}

function textOf({ message, details, next, requestId }: Failure, { err }: Shell): string {
  const paint = paintFor(err)
  const lines = [
    // A relay passes on texts of receivers, and what answers at a wrong url may say anything.
    `${paint('bad', 'Error:')} ${printable(message)}`,
    ...details.map((line) => `  ${printable(line)}`),
    ...(requestId === null ? [] : [paint('quiet', `  request ${printable(requestId)}`)]),
    ...(next === null ? [] : next.split('\n').map((line) => `→ ${printable(line)}`)),
  ]
  return `${lines.join('\n')}\n`
}

function jsonOf({ exit, code, message, details, next, requestId }: Failure): string {
  return `${renderJson({ error: { exit, code, message, details, next, requestId } })}\n`
}
