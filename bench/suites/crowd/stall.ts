/** The relay stands still under load, as in a suspended machine: what it then says of its receivers. */
import { setTimeout as pause } from 'node:timers/promises'
import { awaitDelivered } from '../../fixtures/arrival.ts'
import { sampleEvent } from '../../fixtures/bulk.ts'
import { healthOf, timeoutsOf } from '../../fixtures/receiver-health.ts'
import type { Stage } from '../../harness/crowd/stage.ts'
import type { Published, Workspace } from '../../harness/crowd/workspace.ts'
import { type Line, line } from '../../report/crowd-lines.ts'
import type { Row } from './row.ts'

const RECEIVERS = 4
/** So slow that each receiver has more requests under way than it takes to open a breaker. */
const ANSWER_MS = 1_500
const EVERY_MS = 100
const LOAD_MS = 5_000
/** Longer than any attempt may take. */
const STALL_MS = 15_000
const SETTLE_MS_MAX = 60_000

export const STALL_ROWS: readonly Row[] = [{ name: 'stall', maxSeconds: 180, run: measureStall }]

async function measureStall(stage: Stage): Promise<Line[]> {
  const workspace = stage.workspace('crowd')
  await stage.sink.behave('slow', { delayMs: ANSWER_MS })
  const ids: string[] = []
  for (let n = 0; n < RECEIVERS; n++)
    ids.push(await workspace.subscribe({ url: stage.sink.url('slow', n), events: ['*'] }))
  const published = await publishAcross(stage, workspace)
  const health = await stage.tryRead(() => healthOf(workspace, '/slow/'))
  const accepted = published.flatMap(({ ids: each }) => each.filter((id) => id !== null)).length
  const owed = accepted * RECEIVERS
  const { delivered } = await awaitDelivered(stage, { group: 'slow', owed, withinMs: SETTLE_MS_MAX })
  const timeouts = await stage.tryRead(() => Promise.all(ids.map((id) => timeoutsOf(workspace, id))))
  const { repeated } = await stage.sink.report('slow')
  const by = { name: 'deliveries', value: owed }
  const receivers = { name: 'receivers', value: RECEIVERS }
  return [
    line('attempts recorded as timed out', timeouts && sumOf(timeouts), { by }),
    line('receivers with a breaker just after', health?.breakers ?? null, { by: receivers }),
    line('receivers with faults just after', health?.faulty ?? null, { by: receivers }),
    line('requests repeated', repeated, { by }),
    line('delivered', delivered, { by }),
  ]
}

/** Publishes before and during the stall; what is under way then is answered after it. */
async function publishAcross(stage: Stage, workspace: Workspace): Promise<Published[]> {
  let isOver = false
  const publishing = publishUntil(workspace, () => isOver)
  try {
    await pause(LOAD_MS)
    stage.processes.signal(stage.relay, 'SIGSTOP')
    await pause(STALL_MS)
  } finally {
    isOver = true
    stage.processes.signal(stage.relay, 'SIGCONT')
  }
  const published = await publishing
  await stage.time.pause(ANSWER_MS)
  return published
}

async function publishUntil(workspace: Workspace, isOver: () => boolean): Promise<Published[]> {
  const open: Promise<Published>[] = []
  for (let n = 0; !isOver(); n++) {
    open.push(workspace.publish([sampleEvent(n)]))
    await pause(EVERY_MS)
  }
  return await Promise.all(open)
}

function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0)
}
