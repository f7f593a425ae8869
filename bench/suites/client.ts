/** `npm run bench:client [-- --rounds N]`: single pushes of the client, against the relay's own bulk rate in the same run. */
import path from 'node:path'
import { parseArgs } from 'node:util'
import { type Engine, startPosthorn, startSink } from '../harness/engines.ts'
import { machine } from '../harness/machine.ts'
import { Processes } from '../harness/processes.ts'
import { Meter } from '../report/measure.ts'

const EVENTS = 10_000
const PRODUCERS = 64
const GOAL_SHARE = 0.8
const TIMEOUT_MS = 90_000
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

type Pushed = { publishPerS: number; p99ms: number; errors: number }
type Round = { bulkPerS: number; each: Pushed; room: Pushed; errors: number }

/** Progress goes to stderr, so that stdout holds the figures only. */
function say(text: string): void {
  console.error(text)
}

async function push(
  processes: Processes,
  { origin, headers }: Engine,
  wait: 'each' | 'room',
): Promise<Pushed> {
  const key = (headers['authorization'] ?? '').replace('Bearer ', '')
  const env = { URL: origin, KEY: key, N: `${EVENTS}`, PRODUCERS: `${PRODUCERS}`, WAIT: wait }
  const args = [path.join(import.meta.dirname, '../harness/push.mjs')]
  const program = { name: 'push', command: process.execPath, args, env }
  const text = await processes.output(program, TIMEOUT_MS)
  return JSON.parse(text.trimEnd().split('\n').at(-1) ?? '') as Pushed
}

async function measureRound(
  round: number,
  meter: Meter,
  work: { processes: Processes; engine: Engine },
): Promise<Round> {
  const { processes, engine } = work
  const pushed = async (wait: 'each' | 'room') => {
    const outcome = await push(processes, engine, wait)
    await meter.settle()
    return outcome
  }
  const bulk = await meter.load(engine, 'bulk', 1)
  // The order alternates, so that what one leaves behind does not only meet the other.
  const room = round % 2 === 0 ? await pushed('room') : null
  const each = await pushed('each')
  const measured = { bulkPerS: bulk.publishPerS, each, room: room ?? (await pushed('room')) }
  const errors = bulk.errors + measured.each.errors + measured.room.errors
  say(
    `round ${round}: bulk ${measured.bulkPerS}/s, each ${each.publishPerS}/s, room ${measured.room.publishPerS}/s`,
  )
  return { ...measured, errors }
}

function median(values: readonly number[]): number {
  return values.toSorted((x, y) => x - y)[Math.floor(values.length / 2)] ?? 0
}

function line(name: string, rounds: readonly Round[], of: (round: Round) => number): string {
  const shares = rounds.map((round) => of(round) / round.bulkPerS)
  const rate = Math.round(median(rounds.map(of))).toLocaleString('en-US')
  return `${name.padEnd(52)} ${rate.padStart(8)}/s  ${Math.round(median(shares) * 100)} % of bulk`
}

async function bench(processes: Processes, roundsMax: number): Promise<boolean> {
  const sink = await startSink(processes)
  const engine = await startPosthorn(processes, sink)
  const meter = new Meter(processes, sink, false)
  await meter.warmUp(engine)
  await push(processes, engine, 'room')
  await meter.settle()
  const rounds: Round[] = []
  for (let round = 1; round <= roundsMax; round++) {
    rounds.push(await measureRound(round, meter, { processes, engine }))
  }
  const { cores, cpu, node } = machine()
  console.log(`${cores} x ${cpu}, ${node}; medians of ${roundsMax} rounds`)
  console.log(line('bulk: 100 events a request, 4 connections, no keys', rounds, (round) => round.bulkPerS))
  console.log(
    line(`push, ${PRODUCERS} producers that await each result`, rounds, (round) => round.each.publishPerS),
  )
  console.log(line(`push, ${PRODUCERS} producers that await room`, rounds, (round) => round.room.publishPerS))
  console.log(`The goal of push is ${GOAL_SHARE * 100} % of bulk.`)
  return rounds.every(({ errors }) => errors === 0)
}

/** Gives the exit code: a run that lost events is a failure, a slow one is not. */
async function main(): Promise<number> {
  const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' } } })
  const processes = new Processes()
  for (const signal of SIGNALS) {
    process.once(signal, () => void processes.stopAll().finally(() => process.exit(130)))
  }
  try {
    return (await bench(processes, Number(values.rounds))) ? 0 : 1
  } finally {
    await processes.stopAll()
  }
}

process.exitCode = await main()
