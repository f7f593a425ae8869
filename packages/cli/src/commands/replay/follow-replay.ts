import { setTimeout as sleep } from 'node:timers/promises'
import type { Posthorn, Schemas } from '../../../../client/src/index.ts'
import type { Context } from '../../command.ts'
import { Failure } from '../../failure/failure.ts'
import { counted } from '../../render/fields.ts'
import { write, writeJson } from '../../render/write.ts'
import { whileTelling } from '../../shell/progress.ts'

type Replay = Schemas['Replay']

const LOOK_MS = 1_000
const BAR_CELLS = 24

/** Shows how a replay goes on until it ends. `count` is how many it was expected to make due; null where unknown. */
export async function followReplay(
  context: Context,
  posthorn: Posthorn,
  { replay: first, count }: { replay: Replay; count: number | null },
): Promise<void> {
  let replay = first
  const { shell, call } = context
  try {
    await whileTelling(shell, renderBar(replay, count), async (progress) => {
      while (replay.state === 'running') {
        await sleep(LOOK_MS, undefined, { signal: shell.signal })
        replay = await posthorn.replays.get(replay.id, call)
        progress.say(renderBar(replay, count))
      }
    })
  } catch (error) {
    if (shell.signal.aborted) throw goesOn(replay, count)
    throw error
  }
  await ended(context, replay)
}

/** A bar of what was made due, and the figures beside it. */
export function renderBar({ replayed, examined }: Replay, count: number | null): string {
  const figures = `${replayed.toLocaleString('en-US')}${count === null ? '' : ` of ${count.toLocaleString('en-US')}`} made due`
  if (count === null) return `${figures}, ${examined.toLocaleString('en-US')} looked at`
  const full = Math.min(BAR_CELLS, Math.round((replayed / Math.max(1, count)) * BAR_CELLS))
  return `${'█'.repeat(full)}${'░'.repeat(BAR_CELLS - full)} ${figures}`
}

function goesOn(replay: Replay, count: number | null): Failure {
  const of = count === null ? '' : ` of ${count}`
  return new Failure('interrupted', `No longer watching. The replay ${replay.id} goes on in the relay.`, {
    details: [`${replay.replayed}${of} were made due so far.`],
    next: `Look again: posthorn replay watch ${replay.id}\nEnd it: posthorn replay cancel ${replay.id}`,
  })
}

async function ended(context: Context, replay: Replay): Promise<void> {
  if (replay.state === 'failed') {
    throw new Failure(
      'failed',
      `The replay ${replay.id} failed: ${replay.error ?? 'the relay does not say why'}.`,
      {
        details: [`${counted(replay.replayed, 'delivery', 'deliveries')} were made due before.`],
        next: 'Start it again: what was delivered meanwhile is no longer among what failed.',
      },
    )
  }
  if (context.isJson) return await writeJson(context, replay)
  const done = `${counted(replay.replayed, 'delivery', 'deliveries')} made due (${replay.state}).`
  const where = replay.webhookId === null ? '' : ` --webhook ${replay.webhookId}`
  await write(context, `${done} What comes of them: posthorn deliveries${where}\n`)
}
