import { Failure } from '../failure/failure.ts'
import { printable } from '../render/table.ts'
import type { Shell } from './shell.ts'

/**
 * Asks for a yes, unless it was given with the command.
 *
 * @throws Failure where it is a no, or where there is no person to ask
 */
export async function requireYes(
  { ask }: Pick<Shell, 'ask'>,
  question: string,
  { isConfirmed }: { isConfirmed: boolean },
): Promise<void> {
  if (isConfirmed) return
  if (ask === null) {
    throw new Failure('unconfirmed', `${question} Nobody can be asked here, so nothing was done.`, {
      next: 'Say yes with the command: add --yes.',
    })
  }
  if (!(await ask.confirm(printable(question)))) throw new Failure('unconfirmed', 'Nothing was done.')
}
