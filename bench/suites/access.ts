/**
 * What keys, scopes and limits add to a publish: `npm run bench:access [-- --rounds N] [--quick]`. Each round publishes the
 * same loads by the admin key and by a key of a workspace, at once one after the other, in turn the one or the other first.
 */
import { drive, type Load } from '../harness/drive.ts'
import { type Engine, SLOTS, startRelay, startSink } from '../harness/engines.ts'
import { commit, machine } from '../harness/machine.ts'
import type { Processes } from '../harness/processes.ts'
import { type RoundOptions, runBench, say } from '../harness/rounds.ts'
import {
  type AccessResult,
  type AccessSample,
  type Caller,
  isValid,
  LOADS,
  type LoadName,
  table,
  write,
} from '../report/access-report.ts'

const SIZES: Readonly<Record<LoadName, Load>> = {
  single16: { events: 4_000, perRequest: 1, connections: 16, subscriptions: 0 },
  single64: { events: 4_000, perRequest: 1, connections: 64, subscriptions: 0 },
  bulk: { events: 20_000, perRequest: 100, connections: 4, subscriptions: 0 },
}
const WARM_UP_SHARE = 0.25
const QUICK_SHARE = 0.05
const WAIT_SECONDS = 5
/** Limits that are counted for every event, and never reached. */
const WIDE_LIMITS = {
  requestsPerSecond: 1_000_000,
  eventsPerSecond: 1_000_000,
  eventsPerDay: 1_000_000_000,
  payloadBytes: 1_000_000,
}

type Callers = Readonly<Record<Caller, Engine>>

async function bench(processes: Processes, { rounds, quick }: RoundOptions): Promise<AccessResult> {
  const startedAt = new Date().toISOString()
  const sink = await startSink(processes)
  const { engine } = await startRelay(processes, { name: 'posthorn', slots: SLOTS })
  const callers: Callers = {
    operator: { ...engine, headers: { ...engine.headers, 'x-company-id': 'by-operator' } },
    key: { ...engine, headers: await keyHeaders(engine, 'by-key') },
  }
  const share = quick ? QUICK_SHARE : 1
  const publish = async (caller: Caller, name: LoadName, part: number) => {
    const load = { ...SIZES[name], events: Math.max(SIZES[name].perRequest, SIZES[name].events * part) }
    const relay = callers[caller]
    return await drive(processes, { relay, headers: relay.headers, sink }, load, WAIT_SECONDS)
  }
  for (const name of LOADS)
    for (const caller of ['operator', 'key'] as const) await publish(caller, name, share * WARM_UP_SHARE)
  const samples: AccessSample[] = []
  for (let round = 1; round <= rounds; round++) {
    for (const name of LOADS) {
      const order: Caller[] = round % 2 === 0 ? ['key', 'operator'] : ['operator', 'key']
      for (const caller of order)
        samples.push({ round, load: name, caller, ...(await publish(caller, name, share)) })
      const [first, second] = samples.slice(-2).map((each) => `${each.caller} ${each.publishPerS}/s`)
      say(`round ${round}  ${name.padEnd(8)}  ${first}  ${second}`)
    }
  }
  return { startedAt, commit: await commit(), machine: machine(), rounds, quick, samples }
}

/** A key that may publish and nothing else, from one range of addresses, under limits of its own and of its workspace. */
async function keyHeaders(engine: Engine, workspace: string): Promise<Record<string, string>> {
  const call = async (method: string, path: string, body: object) => {
    const response = await fetch(`${engine.origin}/api/v1${path}`, {
      method,
      headers: { ...engine.headers, 'x-company-id': workspace, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(10_000),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${text}`)
    return (JSON.parse(text) as { data: Record<string, unknown> }).data
  }
  await call('PUT', `/workspaces/${workspace}`, { limits: WIDE_LIMITS })
  const rights = { scopes: ['events:publish'], limits: WIDE_LIMITS, allowedIps: ['192.0.2.0/24'] }
  const { key } = await call('POST', '/keys', { name: 'bench', ...rights })
  return { authorization: `Bearer ${String(key)}`, 'cf-connecting-ip': '192.0.2.7' }
}

await runBench({ measure: bench, table, write, isValid: ({ samples }) => samples.every(isValid) })
