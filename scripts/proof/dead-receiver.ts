import { setTimeout as sleep } from 'node:timers/promises'
import { RelayClient } from '../../test/support/process/relay-client.ts'
import { RelayProcess } from '../../test/support/process/relay-process.ts'
import { Receiver } from '../../test/support/receivers/receiver.ts'
import { type ProofContext, type ProofResult, quantile, seconds } from './proof.ts'

export type DeadReceiverOptions = {
  variant: 'refuses' | 'hangs'
  owed: number
  /** How long events for healthy receivers are published and timed. */
  measureMs: number
  /** The longest an event for a receiver that has proven healthy may take. */
  delayMaxMs: number
  /** The longest for a receiver that nothing is known about yet: it shares a queue with the dead one. */
  freshMaxMs: number
  /** How long the dead receiver's events may take once it is back. */
  returnMs: number
}

/** Receivers whose delays are measured: two that have proven healthy before, one created when all is stuck. */
const HEALTHY = { '/same': 'same', '/other': 'other', '/fresh': 'same' } as const
type Path = keyof typeof HEALTHY
const EVENTS_PER_REQUEST = 1_000
const RETRY_SECONDS = 10

/**
 * Owes tens of thousands of deliveries to a receiver that is dead, and times events for healthy receivers meanwhile.
 * Then the dead one comes back, and must get everything.
 */
export async function proveDeadReceiver(
  context: ProofContext,
  options: DeadReceiverOptions,
): Promise<ProofResult> {
  const { stateDir, progress } = context
  const receiver = await Receiver.start()
  const port = await portOfTheDead(receiver, options.variant)
  const relay = await RelayProcess.start({ stateDir })
  const clients = { same: new RelayClient(relay, 'same'), other: new RelayClient(relay, 'other') }
  let back: Receiver | null = null
  try {
    await proveHealthy(clients, receiver)
    await owe(clients.same, `http://127.0.0.1:${port}/dead`, options.owed)
    progress(`${options.owed} deliveries are owed to a receiver that ${options.variant}`)
    await clients.same.subscribe({ url: receiver.url('/fresh'), events: ['fresh.*'] })
    const sent = await publishMeanwhile(clients, options.measureMs)
    await receiver.waitForDelivered('/fresh', sent['/fresh'].size, options.freshMaxMs)
    await sleep(1_000)
    const result = judgeDelays(receiver, sent, options)
    progress(
      `delays are measured; ${receiver.requests('/dead').length} requests hung; the dead receiver comes back`,
    )
    if (options.variant === 'refuses') back = await Receiver.start(port)
    else receiver.script('/dead', 200)
    await judgeReturn(result, back ?? receiver, options)
    judgeRelay(result, relay)
    return result
  } finally {
    await relay.kill9()
    await receiver.close()
    await back?.close()
  }
}

/** A port that nobody listens on, or the receiver's own with a path that never answers. */
async function portOfTheDead(receiver: Receiver, variant: DeadReceiverOptions['variant']): Promise<number> {
  receiver.script('/dead', 'hang')
  if (variant === 'hangs') return receiver.port
  const probe = await Receiver.start()
  const { port } = probe
  await probe.close()
  return port
}

type Clients = Record<'same' | 'other', RelayClient>

async function proveHealthy(clients: Clients, receiver: Receiver): Promise<void> {
  for (const name of ['same', 'other'] as const) {
    await clients[name].subscribe({ url: receiver.url(`/${name}`), events: [`${name}.*`] })
    for (let i = 1; i <= 3; i++) {
      await clients[name].publish({ event: `${name}.proof`, data: { i } })
      if (!(await receiver.waitForDelivered(`/${name}`, i, 10_000))) throw new Error(`/${name} gets nothing`)
    }
  }
}

async function owe(client: RelayClient, url: string, owed: number): Promise<void> {
  const retryPolicy = { schedule: Array.from({ length: 90 }, () => RETRY_SECONDS) }
  await client.subscribe({ url, events: ['dead.*'], retryPolicy, timeoutSeconds: 5 })
  for (let at = 0; at < owed; at += EVENTS_PER_REQUEST) {
    const count = Math.min(EVENTS_PER_REQUEST, owed - at)
    const { ids } = await client.publish(
      Array.from({ length: count }, () => ({ event: 'dead.test', data: {} })),
    )
    if (ids.length !== count) throw new Error('a publish for the dead receiver was refused')
  }
}

type Sent = Record<Path, Map<string, number>>

/** Publishes to the healthy receivers five times a second each, and notes when each publish began. */
async function publishMeanwhile(clients: Clients, forMs: number): Promise<Sent> {
  const sent: Sent = { '/same': new Map(), '/other': new Map(), '/fresh': new Map() }
  const deadline = Date.now() + forMs
  while (Date.now() < deadline) {
    await Promise.all(
      (Object.keys(HEALTHY) as Path[]).map(async (path) => {
        const atMs = Date.now()
        const { ids } = await clients[HEALTHY[path]].publish({ event: `${path.slice(1)}.test`, data: {} })
        for (const id of ids) sent[path].set(id, atMs)
      }),
    )
    await sleep(200)
  }
  return sent
}

function judgeDelays(receiver: Receiver, sent: Sent, options: DeadReceiverOptions): ProofResult {
  const result: ProofResult = { figures: { 'owed to the dead receiver': options.owed }, violations: [] }
  for (const path of Object.keys(HEALTHY) as Path[]) {
    const boundMs = path === '/fresh' ? options.freshMaxMs : options.delayMaxMs
    const arrivals = receiver.byId(path)
    const delays: number[] = []
    let missing = 0
    for (const [id, atMs] of sent[path]) {
      const arrivedMs = arrivals.get(id)?.[0]?.atMs
      if (arrivedMs === undefined) missing++
      else delays.push(arrivedMs - atMs)
    }
    const max = Math.max(...delays)
    const [p50, p99] = [quantile(delays, 0.5), quantile(delays, 0.99)]
    result.figures[`delay of ${path}`] =
      `p50 ${p50} ms, p99 ${p99} ms, max ${max} ms (${delays.length} events)`
    if (missing > 0)
      result.violations.push(`${path}: ${missing} of ${sent[path].size} events did not arrive in time`)
    if (max > boundMs)
      result.violations.push(`${path}: an event took ${seconds(max)}, more than ${seconds(boundMs)}`)
    const doubled = receiver.doubled(path).length
    if (doubled > 0) result.violations.push(`${path}: ${doubled} events arrived twice`)
  }
  return result
}

async function judgeReturn(result: ProofResult, back: Receiver, options: DeadReceiverOptions): Promise<void> {
  const backAtMs = Date.now()
  const complete = await back.waitForDelivered('/dead', options.owed, options.returnMs)
  const missing = options.owed - back.delivered('/dead')
  result.figures['got everything after its return in'] = complete
    ? seconds(Date.now() - backAtMs)
    : `${missing} missing`
  if (!complete)
    result.violations.push(
      `${missing} deliveries had not arrived ${seconds(options.returnMs)} after the return`,
    )
  const doubled = back.doubled('/dead').length
  if (doubled > 0) result.violations.push(`/dead: ${doubled} events arrived twice`)
}

/** The local queue says so when it breaks: sends fail, and the relay logs them. */
function judgeRelay(result: ProofResult, relay: RelayProcess): void {
  const failed = relay.output.match(/hint\.failed|"failure":"[^"]*"|sweep\.failed|Sweep .* failed/g) ?? []
  result.figures['failed queue operations, batches and sweeps'] = failed.length
  if (failed.length > 0)
    result.violations.push(`the relay reports failures: ${[...new Set(failed)].slice(0, 3).join('; ')}`)
}
