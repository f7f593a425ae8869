/** Other tenants when a receiver comes back, when proven ones begin to hang, and beside a paused backlog. */
import { type Awaited, awaitDelivered } from '../../fixtures/arrival.ts'
import { perSecond, publishBulk, sampleEvent, subscribeAll } from '../../fixtures/bulk.ts'
import { Neighbour } from '../../fixtures/neighbour.ts'
import { SinkClient } from '../../harness/crowd/sink-client.ts'
import { unixMs } from '../../harness/crowd/sink-group.ts'
import type { Stage } from '../../harness/crowd/stage.ts'
import { freePort } from '../../harness/processes.ts'
import { type Line, line, neighbourLines } from '../../report/crowd-lines.ts'
import type { One, Row } from './row.ts'

const DUE = 50_000
const PAUSED = 100_000
const PUBLISH_MS_MAX = 60_000
const DRAIN_MS_MAX = 120_000
/** A paused backlog is watched for so long before it is let go. */
const PAUSED_MS = 20_000
const HANGING = 12
const HANGING_MS = 40_000
const HANG_SECONDS = 10
const HANGING_EVERY_MS = 200
const PROOFS = 5

export const RETURN_ROWS: readonly Row[] = [
  { name: 'return-due', maxSeconds: 300, run: measureDue },
  { name: 'return-hang', maxSeconds: 180, run: measureHang },
  { name: 'return-paused', maxSeconds: 300, run: measurePaused },
]

async function measureDue(stage: Stage, one: One): Promise<Line[]> {
  const neighbour = await Neighbour.settle(stage)
  const quiet = await neighbour.feelQuiet()
  const port = await freePort()
  const workspace = stage.workspace('crowd')
  const retryPolicy = { schedule: Array.from({ length: 90 }, () => 10) }
  const id = await workspace.subscribe({ url: `http://127.0.0.1:${port}/due/0`, events: ['*'], retryPolicy })
  const owed = await owe(stage, DUE)
  const back = await SinkClient.start(stage.processes, `${stage.name}-back`, port)
  const { value: perS, felt } = await neighbour.feelDuring(async () => {
    // The relay would find out by a probe of its breaker, minutes later.
    await workspace.ask('POST', `/webhooks/${id}/resume`)
    return await drain(stage, { group: 'due', owed, sink: back })
  })
  return [
    line('delivered after the return', await back.delivered('due'), {
      by: { name: 'accepted', value: owed },
    }),
    line('drained', perS, { unit: '/s', by: { name: 'one', value: one.deliveredPerS } }),
    ...neighbourLines(felt, quiet),
  ]
}

async function measureHang(stage: Stage): Promise<Line[]> {
  const neighbour = await Neighbour.settle(stage)
  const quiet = await neighbour.feelQuiet()
  const workspace = stage.workspace('crowd')
  const receivers = Array.from({ length: HANGING }, (_, n) => ({
    url: stage.sink.url('proven', n),
    events: ['*'],
    timeoutSeconds: HANG_SECONDS,
  }))
  await subscribeAll(stage, workspace, receivers)
  for (let n = 1; n <= PROOFS; n++) {
    await workspace.publish([sampleEvent(n)])
    const areProven = async () => (await stage.sink.delivered('proven')) >= n * HANGING
    await stage.time.until(areProven, { what: () => 'the receivers were not proven', withinMs: 20_000 })
  }
  await stage.sink.behave('proven', { hangs: true })
  const { felt } = await neighbour.feelDuring(async () => {
    const endsAtMs = performance.now() + stage.scaled(HANGING_MS, 15_000)
    for (let n = PROOFS; performance.now() < endsAtMs; n++) {
      await workspace.publish([sampleEvent(n)])
      await stage.time.pause(HANGING_EVERY_MS)
    }
  })
  const { peakInFlight } = await stage.sink.report('proven')
  return [line('hanging requests in flight at the peak', peakInFlight), ...neighbourLines(felt, quiet)]
}

async function measurePaused(stage: Stage, one: One): Promise<Line[]> {
  const neighbour = await Neighbour.settle(stage)
  const quiet = await neighbour.feelQuiet()
  const workspace = stage.workspace('crowd')
  const id = await workspace.subscribe({ url: stage.sink.url('paused'), events: ['*'] })
  await workspace.ask('POST', `/webhooks/${id}/pause`)
  const owed = await owe(stage, PAUSED)
  const waiting = await neighbour.feelDuring(() => stage.time.pause(stage.scaled(PAUSED_MS, 5_000)))
  const early = await stage.sink.delivered('paused')
  const resumed = await neighbour.feelDuring(async () => {
    await workspace.ask('POST', `/webhooks/${id}/resume`)
    return await drain(stage, { group: 'paused', owed })
  })
  const named = (when: string) => (each: Line) => ({ ...each, figure: `${when}: ${each.figure}` })
  return [
    ...neighbourLines(waiting.felt, quiet).map(named('paused')),
    line('paused: delivered all the same', early),
    ...neighbourLines(resumed.felt, quiet).map(named('resumed')),
    line('resumed: drained', resumed.value, { unit: '/s', by: { name: 'one', value: one.deliveredPerS } }),
  ]
}

/** Publishes a backlog, and gives how many of its events were accepted. */
export async function owe(stage: Stage, events: number): Promise<number> {
  const bulk = { events: stage.scaled(events), make: (n: number) => sampleEvent(n), withinMs: PUBLISH_MS_MAX }
  return (await publishBulk(stage, stage.workspace('crowd'), bulk)).accepted.length
}

/** Waits until a backlog is delivered, and gives the rate. */
async function drain(stage: Stage, awaited: Awaited): Promise<number> {
  const startedAtMs = unixMs()
  const arrival = await awaitDelivered(stage, { ...awaited, withinMs: DRAIN_MS_MAX })
  return perSecond(arrival.delivered, arrival.endedAtMs - startedAtMs)
}
