import { createHash, randomUUID } from 'node:crypto'
import { type Posthorn, type PublishResult, rejectionOf } from '../../../../client/src/index.ts'
import { nameOf, readText } from '../../arguments/read-file.ts'
import type { Context } from '../../command.ts'
import { explain } from '../../failure/explain.ts'
import { Failure } from '../../failure/failure.ts'
import { counted } from '../../render/fields.ts'
import { hint, write, writeJson } from '../../render/write.ts'
import { whileTelling } from '../../shell/progress.ts'
import { eventTexts } from './event-texts.ts'

/** Events of one request: few enough that a Ctrl-C is heard soon. */
const PER_REQUEST = 250
const SHOWN_MAX = 10

type Tally = { accepted: number; duplicates: number; rejected: { no: number; message: string }[] }

/**
 * Publishes a file's events in its order. Its content names the requests, so one that was stopped is finished by running
 * the command again: what was accepted is a duplicate then.
 */
export async function publishFile(
  context: Context,
  file: string,
  { isAgain }: { isAgain: boolean },
): Promise<void> {
  const { shell } = context
  const text = await readText(file, shell)
  const { texts, haveIds } = eventTexts(text, nameOf(file))
  const { posthorn } = await context.connect()
  const name = isAgain ? randomUUID() : createHash('sha256').update(text).digest('hex').slice(0, 40)
  const tally: Tally = { accepted: 0, duplicates: 0, rejected: [] }
  await whileTelling(shell, counted(texts.length, 'event'), async (progress) => {
    for (let from = 0; from < texts.length; from += PER_REQUEST) {
      progress.say(`${from.toLocaleString('en-US')} of ${counted(texts.length, 'event')} published`)
      const key = haveIds ? {} : { idempotencyKey: `cli-${name}-${from}` }
      const chunk = texts.slice(from, from + PER_REQUEST)
      count(
        tally,
        await send({ posthorn, context }, chunk, { ...key, haveIds, from, of: texts.length }),
        from,
      )
    }
  })
  await report(context, tally)
}

type Sending = { idempotencyKey?: string; haveIds: boolean; from: number; of: number }

/** One request; where it fails, the failure says how far all of them have come. */
async function send(
  { posthorn, context }: { posthorn: Posthorn; context: Context },
  texts: readonly string[],
  { from, of, ...options }: Sending,
): Promise<PublishResult[]> {
  try {
    return await posthorn.events.publishJson(texts, { ...options, ...context.call })
  } catch (error) {
    const { exit, message, details, next, code, requestId } = explain(error)
    if (from === 0 && exit !== 'interrupted') throw error
    throw new Failure(exit, message, {
      details: [
        `The first ${from} of ${of} events are published; of the next ${texts.length} some may be.`,
        ...details,
      ],
      next: `Run the same command again: it publishes what is missing, and nothing twice.${next === null ? '' : `\n${next}`}`,
      code,
      requestId,
    })
  }
}

function count(tally: Tally, results: readonly PublishResult[], from: number): void {
  for (const [i, result] of results.entries()) {
    if (result.status === 'accepted') tally.accepted++
    if (result.status === 'duplicate') tally.duplicates++
    if (result.status === 'rejected') {
      tally.rejected.push({ no: from + i + 1, message: rejectionOf(result).message })
    }
  }
}

async function report(context: Context, tally: Tally): Promise<void> {
  const { accepted, duplicates, rejected } = tally
  if (context.isJson) await writeJson(context, tally)
  else await write(context, `${counted(accepted, 'event')} published\n`)
  if (duplicates > 0) {
    await hint(
      context,
      `${duplicates} had been published before (--again publishes those without an id anew).`,
    )
  }
  if (rejected.length === 0) return
  const shown = rejected.slice(0, SHOWN_MAX).map(({ no, message }) => `event ${no}: ${message}`)
  const more = rejected.length - shown.length
  throw new Failure(
    'partial',
    `${counted(rejected.length, 'event')} of the file were refused, the others published.`,
    {
      details: more > 0 ? [...shown, `and ${more} more`] : shown,
      next: 'Mend these, and run the command again with them.',
    },
  )
}
