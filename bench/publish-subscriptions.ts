/**
 * What a publish costs as the workspace's subscriptions grow in number, one of which wants each event:
 * `node bench/publish-subscriptions.ts [--rounds N] [--quick]`. Three rounds take about a minute and a half on a quiet machine.
 */
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { Load } from './drive.ts'
import { startPosthorn, startSink } from './engines.ts'
import { commit, machine } from './machine.ts'
import { Processes } from './processes.ts'
import { COUNTS } from './routed-subscriptions.ts'
import { type Cell, RoutedWorkspaces, type RoutingKind } from './routed-workspaces.ts'
import { isValid, type RoutingResult, type RoutingSample, table, write } from './routing-report.ts'

const KINDS: readonly RoutingKind[] = ['exact', 'wildcard', 'filters']
const CELLS: readonly Cell[] = KINDS.flatMap((kind) => COUNTS.map((count) => ({ kind, count })))

const WARM_UP: Load = { events: 300, perRequest: 100, connections: 4 }
const BULK: Load = { events: 3_000, perRequest: 100, connections: 4 }
const SINGLE: Load = { events: 300, perRequest: 1, connections: 16 }
const QUICK_SHARE = 0.1
/** A run with fewer rounds shows that everything works; it is not kept. */
const ROUNDS_KEPT_MIN = 3

type Options = { rounds: number; quick: boolean }

function parseOptions(): Options {
  const { values } = parseArgs({
    options: { rounds: { type: 'string', default: '3' }, quick: { type: 'boolean', default: false } },
  })
  const rounds = Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 20) throw new Error('--rounds must be 1 to 20')
  return { rounds, quick: values.quick }
}

/** Progress goes to stderr, so that stdout holds the table only. */
function say(text: string): void {
  console.error(`${(performance.now() / 1000).toFixed(0).padStart(4)} s  ${text}`)
}

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

async function bench(processes: Processes, { rounds, quick }: Options): Promise<RoutingResult> {
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

/** Gives the exit code: a run that lost or doubled events is a failure, a slow one is not. */
async function main(): Promise<number> {
  const options = parseOptions()
  const processes = new Processes()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => void processes.stopAll().finally(() => process.exit(130)))
  }
  try {
    const result = await bench(processes, options)
    console.log(`\n${table(result)}`)
    if (!options.quick && options.rounds >= ROUNDS_KEPT_MIN) {
      say(`\nwritten: bench/results/${write(result, path.join(import.meta.dirname, 'results'))}.{md,json}`)
    }
    return result.surplus === 0 && result.samples.every(isValid) ? 0 : 1
  } catch (error) {
    // After a Ctrl-C, what fails fails because its process was ended.
    if (!processes.stopping) throw error
    return 130
  } finally {
    await processes.stopAll()
  }
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error)
  process.exitCode = 1
}
