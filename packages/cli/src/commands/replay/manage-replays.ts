import type { Schemas } from '../../../../client/src/index.ts'
import type { Context, Given } from '../../command.ts'
import { change } from '../../failure/change.ts'
import { paintFor, toneOf } from '../../render/colour.ts'
import type { Column } from '../../render/table.ts'
import { relative } from '../../render/time.ts'
import { hint, writeJson, writeList } from '../../render/write.ts'
import { followReplay } from './follow-replay.ts'

const LISTED_MAX = 50

export async function listReplays(context: Context): Promise<void> {
  const { posthorn } = await context.connect()
  const replays = await posthorn.replays.list({}, context.call).take(LISTED_MAX)
  await writeList(context, replays, { columns: columns(context), empty: 'There are no replays.' })
}

export async function watchReplay(context: Context, { args: [id = ''] }: Given<object>): Promise<void> {
  const { posthorn } = await context.connect()
  const replay = await posthorn.replays.get(id, context.call)
  await followReplay(context, posthorn, { replay, count: null })
}

export async function cancelReplay(context: Context, { args: [id = ''] }: Given<object>): Promise<void> {
  const { posthorn } = await context.connect()
  const replay = await change(context, 'posthorn replay list shows if it has ended.', () =>
    posthorn.replays.cancel(id, context.call),
  )
  if (context.isJson) return await writeJson(context, replay)
  await hint(
    context,
    `${id} is ${replay.state}. The ${replay.replayed} that it made due are delivered all the same.`,
  )
}

function columns({ shell }: Context): Column<Schemas['Replay']>[] {
  const [nowMs, paint] = [shell.nowMs(), paintFor(shell.out)]
  return [
    { title: 'REPLAY', cell: ({ id }) => id },
    { title: 'OF', cell: ({ webhookId, eventId }) => eventId ?? webhookId ?? '', shrinks: true },
    { title: 'STATE', cell: ({ state }) => state, paint: ({ state }, cell) => paint(toneOf(state), cell) },
    { title: 'MADE DUE', cell: ({ replayed }) => String(replayed), alignsRight: true },
    { title: 'STARTED', cell: ({ createdAt }) => relative(createdAt, nowMs), isOptional: true },
  ]
}
