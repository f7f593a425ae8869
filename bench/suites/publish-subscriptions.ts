/**
 * What a publish costs as the workspace's subscriptions grow in number, one of which wants each event:
 * `node bench/suites/publish-subscriptions.ts [--rounds N] [--quick]`. Three rounds take about a minute and a half on a quiet machine.
 */

import { COUNTS } from '../fixtures/routed-subscriptions.ts'
import { type Cell, RoutedWorkspaces, type RoutingKind } from '../fixtures/routed-workspaces.ts'
import type { Load } from '../harness/drive.ts'
import { startPosthorn, startSink } from '../harness/engines.ts'
import { commit, machine } from '../harness/machine.ts'
import type { Processes } from '../harness/processes.ts'
import { type RoundOptions, runBench, say } from '../harness/rounds.ts'
import { isValid, type RoutingResult, type RoutingSample, table, write } from '../report/routing-report.ts'

const KINDS: readonly RoutingKind[] = ['exact', 'wildcard', 'filters']
const CELLS: readonly Cell[] = KINDS.flatMap((kind) => COUNTS.map((count) => ({ kind, count })))

const WARM_UP: Load = { events: 300, perRequest: 100, connections: 4 }
const BULK: Load = { events: 3_000, perRequest: 100, connections: 4 }
const SINGLE: Load = { events: 300, perRequest: 1, connections: 16 }
const QUICK_SHARE = 0.1

async function measureCell(workspaces: RoutedWorkspaces, cell: Cell, round: number, share: number) {
  const scaled = (load: Load) => ({ ...load, events: Math.max(load.perRequest, load.events * share) })
  const bulk = await workspaces.publish(cell, scaled(BULK))
  const single = await workspaces.publish(cell, scaled(SINGLE))
  const sample: RoutingSample = { ...cell, round, bulk, single }
  const lost = isValid(sample) ? '' : '  INVALID'
  say(
    `round ${round}  ${cell.kind.padEnd(8)} ${String(cell.count).padStart(5)}  bulk ${bulk.publishPerS}/s  single ${single.publishPerS}/s${lost}`,
  )
  return sample
}

async function bench(processes: Processes, { rounds, quick }: RoundOptions): Promise<RoutingResult> {
  const startedAt = new Date().toISOString()
  const sink = await startSink(processes)
  const workspaces = new RoutedWorkspaces(processes, await startPosthorn(processes, sink), sink)
  for (const cell of CELLS) {
    say(`subscribing: ${cell.count} of kind ${cell.kind}`)
    await workspaces.fill(cell)
    // Proves the receiver healthy, too: unproven ones have a queue of their own.
    await workspaces.publish(cell, WARM_UP)
  }
  const samples: RoutingSample[] = []
  for (let round = 1; round <= rounds; round++) {
    for (const cell of CELLS)
      samples.push(await measureCell(workspaces, cell, round, quick ? QUICK_SHARE : 1))
  }
  const surplus = await workspaces.surplus()
  return { startedAt, commit: await commit(), machine: machine(), rounds, quick, samples, surplus }
}

await runBench({
  measure: bench,
  table,
  write,
  isValid: ({ samples, surplus }) => surplus === 0 && samples.every(isValid),
})
