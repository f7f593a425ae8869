/** A bench of several rounds against one relay: its options, its progress, and its end. */
import path from 'node:path'
import { parseArgs } from 'node:util'
import { Processes } from './processes.ts'

export type RoundOptions = { readonly rounds: number; readonly quick: boolean }

/** A bench whose runs are kept. */
export type RoundBench<Result> = {
  readonly measure: (processes: Processes, options: RoundOptions) => Promise<Result>
  readonly table: (result: Result) => string
  /** Writes the result and gives its files' common name. */
  readonly write: (result: Result, directory: string) => string
  /** Whether nothing was lost, doubled or refused. */
  readonly isValid: (result: Result) => boolean
}

/** A run with fewer rounds shows that everything works; it is not kept. */
const ROUNDS_KEPT_MIN = 3

/** Progress goes to stderr, so that stdout holds the table only. */
export function say(text: string): void {
  console.error(`${(performance.now() / 1000).toFixed(0).padStart(4)} s  ${text}`)
}

/** Runs a bench as this process' only work. A run that lost or doubled events fails, a slow one does not. */
export async function runBench<Result>(bench: RoundBench<Result>): Promise<void> {
  await runAsMain((processes) => run(bench, processes))
}

/** Runs `work`, whose answer is the exit code; the programs it starts end with it, on a signal too. */
export async function runAsMain(work: (processes: Processes) => Promise<number>): Promise<void> {
  const processes = new Processes()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => void processes.stopAll().finally(() => process.exit(130)))
  }
  try {
    process.exitCode = await work(processes)
  } catch (error) {
    // After a Ctrl-C, what fails fails because its process was ended.
    if (!processes.stopping) console.error(error)
    process.exitCode = processes.stopping ? 130 : 1
  } finally {
    await processes.stopAll()
  }
}

function parseOptions(): RoundOptions {
  const { values } = parseArgs({
    options: { rounds: { type: 'string', default: '3' }, quick: { type: 'boolean', default: false } },
  })
  const rounds = Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 20) throw new Error('--rounds must be 1 to 20')
  return { rounds, quick: values.quick }
}

async function run<Result>(bench: RoundBench<Result>, processes: Processes): Promise<number> {
  const options = parseOptions()
  const result = await bench.measure(processes, options)
  console.log(`\n${bench.table(result)}`)
  if (!options.quick && options.rounds >= ROUNDS_KEPT_MIN) {
    const name = bench.write(result, path.join(import.meta.dirname, '../results'))
    say(`\nwritten: bench/results/${name}.{md,json}`)
  }
  return bench.isValid(result) ? 0 : 1
}
