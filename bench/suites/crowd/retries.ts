/** The retries of one tenant while another's backlog is due. */
import { awaitDelivered } from '../../fixtures/arrival.ts'
import { perSecond } from '../../fixtures/bulk.ts'
import { RetriedTenant } from '../../fixtures/retried.ts'
import { SinkClient } from '../../harness/crowd/sink-client.ts'
import { unixMs } from '../../harness/crowd/sink-group.ts'
import type { Stage } from '../../harness/crowd/stage.ts'
import { freePort } from '../../harness/processes.ts'
import { type Line, line } from '../../report/crowd-lines.ts'
import { owe } from './return.ts'
import type { One, Row } from './row.ts'

const DUE = 60_000
const DRAIN_MS_MAX = 120_000

export const RETRIES_ROWS: readonly Row[] = [{ name: 'retries', maxSeconds: 300, run: measureRetries }]

async function measureRetries(stage: Stage, one: One): Promise<Line[]> {
  const tenant = await RetriedTenant.settle(stage)
  const quiet = await tenant.feelQuiet()
  const port = await freePort()
  const workspace = stage.workspace('crowd')
  const retryPolicy = { schedule: Array.from({ length: 90 }, () => 10) }
  const id = await workspace.subscribe({ url: `http://127.0.0.1:${port}/due/0`, events: ['*'], retryPolicy })
  const owed = await owe(stage, DUE)
  const back = await SinkClient.start(stage.processes, `${stage.name}-back`, port)
  const { value: perS, retries } = await tenant.feelDuring(async () => {
    const startedAtMs = unixMs()
    await workspace.ask('POST', `/webhooks/${id}/resume`)
    const awaited = { group: 'due', owed, sink: back, withinMs: DRAIN_MS_MAX }
    const arrival = await awaitDelivered(stage, awaited)
    return perSecond(arrival.delivered, arrival.endedAtMs - startedAtMs)
  })
  return [
    line('backlog of the other tenant drained', perS, {
      unit: '/s',
      by: { name: 'one', value: one.deliveredPerS },
    }),
    line('first attempt to retry, p50', retries.p50Ms, {
      unit: 'ms',
      by: { name: 'quiet', value: quiet.p50Ms },
    }),
    line('first attempt to retry, p99', retries.p99Ms, {
      unit: 'ms',
      by: { name: 'quiet', value: quiet.p99Ms },
      demand: { of: 'value', best: 'low', floor: 10_000, goal: 4_000 },
    }),
    line('retries missing', retries.missing),
  ]
}
