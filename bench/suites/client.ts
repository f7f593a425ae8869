/** `npm run bench:client [-- --rounds N]`: single pushes of the client, against the relay's own bulk rate in the same run. */
import path from 'node:path'
import { parseArgs } from 'node:util'
import { drive } from '../harness/drive.ts'
import { type Engine, startPosthorn, startSink } from '../harness/engines.ts'
import { machine } from '../harness/machine.ts'
import { Processes } from '../harness/processes.ts'
import { Meter } from '../report/measure.ts'

const EVENTS = 10_000
const PRODUCERS = 64
const LISTS_AT_ONCE = 4
/** Bulk with as many events on the way as producers that await each of theirs have. */
const FEW = { events: EVENTS, perRequest: PRODUCERS, connections: 1 }
const FEW_WAIT_SECONDS = 30
const GOAL_SHARE = 0.8
const TIMEOUT_MS = 90_000
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

type Kind = 'list' | 'each' | 'room'
type Pushed = { publishPerS: number; p99ms: number; errors: number }
type Round = { bulk: number; few: number; errors: number } & Record<Kind, number>

/** Progress goes to stderr, so that stdout holds the figures only. */
function say(text: string): void {
  console.error(text)
}

async function push(processes: Processes, { origin, headers }: Engine, kind: Kind): Promise<Pushed> {
  const key = (headers['authorization'] ?? '').replace('Bearer ', '')
  const producers = kind === 'list' ? LISTS_AT_ONCE : PRODUCERS
  const env = { URL: origin, KEY: key, N: `${EVENTS}`, PRODUCERS: `${producers}`, WAIT: kind }
  const args = [path.join(import.meta.dirname, '../harness/push.mjs')]
  const program = { name: 'push', command: process.execPath, args, env }
  const text = await processes.output(program, TIMEOUT_MS)
  return JSON.parse(text.trimEnd().split('\n').at(-1) ?? '') as Pushed
}

type Work = { processes: Processes; engine: Engine; sink: string; meter: Meter }

async function measureRound(round: number, { processes, engine, sink, meter }: Work): Promise<Round> {
  const bulk = await meter.load(engine, 'bulk', 1)
  const target = { relay: engine, headers: engine.headers, sink }
  const few = await drive(processes, target, FEW, FEW_WAIT_SECONDS)
  await meter.settle()
  const errors = bulk.errors + few.errors
  const measured: Round = { bulk: bulk.publishPerS, few: few.publishPerS, errors, list: 0, each: 0, room: 0 }
  // The order alternates, so that what one leaves behind does not always meet the same.
  const kinds: Kind[] = round % 2 === 0 ? ['room', 'each', 'list'] : ['list', 'each', 'room']
  for (const kind of kinds) {
    const { publishPerS, errors } = await push(processes, engine, kind)
    measured[kind] = publishPerS
    measured.errors += errors
    await meter.settle()
  }
  const { list, each, room } = measured
  say(
    `round ${round}: bulk ${bulk.publishPerS}/s, few ${few.publishPerS}/s, list ${list}/s, each ${each}/s, room ${room}/s`,
  )
  return measured
}

function median(values: readonly number[]): number {
  return values.toSorted((x, y) => x - y)[Math.floor(values.length / 2)] ?? 0
}

function line(name: string, rounds: readonly Round[], kind: Kind | 'bulk' | 'few'): string {
  const rate = Math.round(median(rounds.map((round) => round[kind]))).toLocaleString('en-US')
  const shareOf = (other: 'bulk' | 'few') =>
    `${Math.round(median(rounds.map((round) => round[kind] / round[other])) * 100)} %`.padStart(6)
  return `${name.padEnd(52)} ${rate.padStart(8)}/s  ${shareOf('bulk')} ${shareOf('few')}`
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
    rounds.push(await measureRound(round, { processes, engine, sink, meter }))
  }
  const { cores, cpu, node } = machine()
  console.log(`${cores} x ${cpu}, ${node}; medians of ${roundsMax} rounds; of bulk, of few`)
  console.log(line('bulk: 100 events a request, 4 connections, no keys', rounds, 'bulk'))
  console.log(line(`few: ${PRODUCERS} events a request, 1 connection`, rounds, 'few'))
  console.log(line('lists: as bulk by the client, with keys', rounds, 'list'))
  console.log(line(`push, ${PRODUCERS} producers that await each result`, rounds, 'each'))
  console.log(line(`push, ${PRODUCERS} producers that await room`, rounds, 'room'))
  console.log(`The goal of push is ${GOAL_SHARE * 100} %.`)
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
