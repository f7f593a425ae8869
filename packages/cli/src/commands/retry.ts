import type { Schemas } from '../../../client/src/index.ts'
import { readText } from '../arguments/read-file.ts'
import { type AddCommand, action, type Context, examples, type Given } from '../command.ts'
import { explain } from '../failure/explain.ts'
import { Failure } from '../failure/failure.ts'
import { hint, write, writeJson } from '../render/write.ts'
import { whileTelling } from '../shell/progress.ts'

type Tally = { retried: Schemas['Delivery'][]; refused: { id: string; message: string }[]; left: string[] }

/** `posthorn retry`. */
export const addRetry: AddCommand = (parent, shell) => {
  parent
    .command('retry')
    .argument('<id...>', 'deliveries (log_…), or - for ids on standard input')
    .summary('attempt deliveries once more, now')
    .description(
      'Attempts deliveries once more, now: those that failed for good or were skipped, and those that wait for a retry.\n' +
        'For many, or with all retries, use replay.',
    )
    .addHelpText(
      'after',
      examples(
        ['posthorn retry log_03x0s9tv19f8d8g06g4'],
        ["posthorn deliveries --status failed --json | jq -r '.[].id' | posthorn retry -"],
      ),
    )
    .action(action(shell, retry))
}

async function retry(context: Context, { args }: Given<object>): Promise<void> {
  const ids = await idsOf(context, args)
  const { posthorn } = await context.connect()
  const tally: Tally = { retried: [], refused: [], left: [] }
  await whileTelling(context.shell, 'Retrying', async (progress) => {
    for (const [i, id] of ids.entries()) {
      progress.say(`${i} of ${ids.length} retried`)
      if (context.shell.signal.aborted) {
        tally.left = ids.slice(i)
        return
      }
      try {
        tally.retried.push(await posthorn.deliveries.retry(id))
      } catch (error) {
        const { exit, message } = explain(error)
        if (exit !== 'conflict' && exit !== 'not_found') throw partWay(error, tally)
        tally.refused.push({ id, message })
      }
    }
  })
  await report(context, tally)
}

async function idsOf({ shell }: Context, args: readonly string[]): Promise<string[]> {
  if (!args.includes('-')) return [...args]
  const ids = (await readText('-', shell)).split(/\s+/).filter((id) => id !== '')
  if (ids.length === 0) throw new Failure('usage', 'Standard input has no ids.')
  return ids
}

/** The failure of all that are left, with what was done before. */
function partWay(error: unknown, { retried }: Tally): Failure {
  const { exit, message, details, next, code, requestId } = explain(error)
  const done = retried.length === 0 ? [] : [`${retried.length} before it are retried.`]
  return new Failure(exit, message, { details: [...details, ...done], next, code, requestId })
}

async function report(context: Context, { retried, refused, left }: Tally): Promise<void> {
  if (context.isJson) await writeJson(context, { retried, refused, left })
  else for (const { id } of retried) await write(context, `${id}\n`)
  const [first] = retried
  if (first !== undefined)
    await hint(context, `Attempted in this moment: posthorn deliveries get ${first.id}`)
  const lines = refused.map(({ id, message }) => `${id}: ${message}`)
  if (left.length > 0) {
    const details = [`${retried.length} are retried, ${left.length} are not: ${left[0]} and those after it.`]
    throw new Failure('interrupted', 'Stopped.', { details: [...details, ...lines] })
  }
  if (refused.length === 0) return
  const exit = retried.length > 0 ? 'partial' : 'conflict'
  throw new Failure(exit, `${refused.length} of ${refused.length + retried.length} were not retried.`, {
    details: lines,
    next: 'What has succeeded is sent again by a replay: posthorn replay --delivery <id>',
  })
}
