/** `npm run bench`: Posthorn against what a team would build instead, and against what the runtime allows. */
import path from 'node:path'
import { type Databases, INSTALL_HINT, startDatabases } from '../harness/databases.ts'
import {
  type Engine,
  installBaseline,
  startBaseline,
  startCeilings,
  startPosthorn,
  startSink,
} from '../harness/engines.ts'
import { commit, machine } from '../harness/machine.ts'
import { type Options, type Part, parseOptions, UsageError } from '../harness/options.ts'
import { Processes } from '../harness/processes.ts'
import { figures, isValid, type Sample, type Scenario } from '../report/figures.ts'
import { type LoadScenario, Meter, type Outcome } from '../report/measure.ts'
import { type Result, table, write } from '../report/report.ts'

const SCENARIOS: readonly LoadScenario[] = ['single16', 'single64', 'bulk', 'capture']
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

type Started = {
  readonly engines: ReadonlyMap<Part, Engine>
  readonly databases: Databases | null
}

/** Progress goes to stderr, so that stdout holds the table only. */
function say(text: string): void {
  console.error(text)
}

async function start(processes: Processes, options: Options, sink: string): Promise<Started> {
  const engines = new Map<Part, Engine>()
  let databases: Databases | null = null
  if (options.parts.has('baseline')) {
    say('starting Postgres, Redis and the baseline')
    databases = await startDatabases(processes)
    if (databases) {
      await installBaseline(processes)
      engines.set('baseline', await startBaseline(processes, databases, sink))
    } else {
      say(`No Postgres or no Redis: going on without the baseline. Install them with\n  ${INSTALL_HINT}`)
    }
  }
  if (options.parts.has('posthorn')) {
    say('starting Posthorn')
    engines.set('posthorn', await startPosthorn(processes, sink))
  }
  if (options.parts.has('ceilings')) {
    say('starting the ceilings')
    engines.set('ceilings', await startCeilings(processes))
  }
  return { engines, databases }
}

/** One round: each scenario against each engine back to back, then the ceilings. */
async function measureRound(round: number, meter: Meter, engines: Started['engines']): Promise<Sample[]> {
  const samples: Sample[] = []
  const add = (engine: Part, scenario: Scenario, outcome: Outcome) => {
    const sample = { round, engine, scenario, ...outcome }
    samples.push(sample)
    say(`round ${round}  ${progress(sample)}`)
  }
  // The order alternates, so that what the first leaves behind on the machine does not only meet the second.
  const order: Part[] = round % 2 ? ['baseline', 'posthorn'] : ['posthorn', 'baseline']
  for (const scenario of SCENARIOS) {
    for (const part of order) {
      const engine = engines.get(part)
      if (engine) add(part, scenario, await meter.load(engine, scenario, 1))
    }
  }
  const ceilings = engines.get('ceilings')
  if (ceilings) {
    add('ceilings', 'single16', await meter.load(ceilings, 'single16', 0))
    add('ceilings', 'single64', await meter.load(ceilings, 'single64', 0))
    add('ceilings', 'fetch6', await meter.fetchLoop(ceilings, 6))
    add('ceilings', 'fetch50', await meter.fetchLoop(ceilings, 50))
  }
  return samples
}

function progress(sample: Sample): string {
  const parts = [`${sample.engine.padEnd(8)}  ${sample.scenario.padEnd(8)}`]
  if (sample.publishPerS) parts.push(`published ${sample.publishPerS}/s, p99 ${sample.p99ms} ms`)
  if (sample.want) parts.push(`delivered ${sample.deliveredPerS}/s`)
  if (!isValid(sample)) parts.push(`INVALID: ${sample.errors} errors, ${sample.delivered} of ${sample.want}`)
  return parts.join('  ')
}

async function bench(processes: Processes, options: Options): Promise<Result> {
  const startedAt = new Date().toISOString()
  const sink = await startSink(processes)
  const { engines, databases } = await start(processes, options, sink)
  const meter = new Meter(processes, sink, options.quick)
  for (const [part, engine] of engines) {
    say(`warming up: ${part}`)
    await (part === 'ceilings' ? meter.warmUpCeilings(engine) : meter.warmUp(engine))
  }
  const samples: Sample[] = []
  for (let round = 1; round <= options.rounds; round++) {
    samples.push(...(await measureRound(round, meter, engines)))
  }
  const { rounds, quick } = options
  const versions = databases?.versions ?? null
  return {
    startedAt,
    commit: await commit(),
    machine: machine(),
    databases: versions,
    rounds,
    quick,
    samples,
  }
}

/** Only a whole run is a result worth keeping: what is compared must have been measured together. */
function isWhole({ quick, rounds, samples }: Result): boolean {
  return !quick && rounds >= 3 && new Set(samples.map((sample) => sample.engine)).size === 3
}

/** Gives the exit code: a run that lost or doubled events is a failure, a slow one is not. */
async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2))
  const processes = new Processes()
  for (const signal of SIGNALS) {
    process.once(signal, () => void processes.stopAll().finally(() => process.exit(130)))
  }
  try {
    const result = await bench(processes, options)
    console.log(`\n${table(result)}`)
    if (isWhole(result)) {
      const directory = path.join(import.meta.dirname, '../results')
      say(`\nwritten: bench/results/${write(result, directory)}.{md,json}`)
    }
    return figures(result.samples).some((figure) => figure.verdict === 'invalid') ? 1 : 0
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
  console.error(error instanceof UsageError ? error.message : error)
  process.exitCode = 1
}
