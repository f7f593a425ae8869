/** The yardstick of the other rows: one healthy subscription, published to in bulk, without own ids and with them. */
import { awaitDelivered } from '../../fixtures/arrival.ts'
import { perSecond, publishBulk, sampleEvent } from '../../fixtures/bulk.ts'
import { messagesSent } from '../../harness/crowd/relay-log.ts'
import type { Stage } from '../../harness/crowd/stage.ts'
import type { Workspace } from '../../harness/crowd/workspace.ts'
import { type Line, line } from '../../report/crowd-lines.ts'
import type { One } from './row.ts'

export const ONE_SECONDS = 180

const GROUP = 'one'
const EVENTS = 20_000
const EVENTS_WITH_OWN_IDS = 10_000
const WARM_UP_EVENTS = 2_000
const WAIT_MS = 60_000

export async function measureOne(stage: Stage): Promise<One> {
  const workspace = stage.workspace('one')
  await workspace.subscribe({ url: stage.sink.url(GROUP), events: ['*'] })
  await measureBulk(stage, workspace, { events: WARM_UP_EVENTS, ownId: '' })
  const before = await messagesSent(stage.relay.logPath, workspace)
  const plain = await measureBulk(stage, workspace, { events: EVENTS, ownId: '' })
  const messages = (await messagesSent(stage.relay.logPath, workspace)) - before
  const own = await measureBulk(stage, workspace, { events: EVENTS_WITH_OWN_IDS, ownId: 'own' })
  return {
    publishedPerS: plain.publishedPerS,
    deliveredPerS: plain.deliveredPerS,
    ownIdsPublishedPerS: own.publishedPerS,
    ownIdsDeliveredPerS: own.deliveredPerS,
    messages: (messages * 100) / plain.delivered,
    peakMiB: stage.memory.miB,
  }
}

export function linesOfOne(one: One): Line[] {
  return [
    line('published', one.publishedPerS, { unit: '/s' }),
    line('delivered', one.deliveredPerS, { unit: '/s' }),
    line('published with own ids', one.ownIdsPublishedPerS, { unit: '/s' }),
    line('delivered with own ids', one.ownIdsDeliveredPerS, { unit: '/s' }),
    line('queue messages per 100 deliveries', one.messages),
    line('peak memory', one.peakMiB, { unit: 'MiB' }),
  ]
}

type Measured = { publishedPerS: number; deliveredPerS: number; delivered: number }

async function measureBulk(
  stage: Stage,
  workspace: Workspace,
  { events, ownId }: { events: number; ownId: string },
): Promise<Measured> {
  const before = await stage.sink.delivered(GROUP)
  const { accepted, startedAtMs, perS } = await publishBulk(stage, workspace, {
    events: stage.scaled(events),
    make: (n) => sampleEvent(n, { ownId }),
    withinMs: WAIT_MS,
  })
  const owed = before + accepted.length
  const arrival = await awaitDelivered(stage, { group: GROUP, owed, withinMs: WAIT_MS })
  const delivered = arrival.delivered - before
  return {
    publishedPerS: perS,
    deliveredPerS: perSecond(delivered, arrival.endedAtMs - startedAtMs),
    delivered,
  }
}
