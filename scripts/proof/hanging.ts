import { setTimeout as sleep } from 'node:timers/promises'
import { RelayClient } from '../../test/support/process/relay-client.ts'
import { RelayProcess } from '../../test/support/process/relay-process.ts'
import { Receiver } from '../../test/support/receivers/receiver.ts'
import { type ProofContext, type ProofResult, quantile, seconds } from './proof.ts'

export type HangingOptions = {
  /** Receivers that never answer; each attempt ends after `HANG_SECONDS`. */
  hanging: number
  /** `unproven`: they hang from their first request on. `proven`: they all work, and begin to hang at once. */
  before: 'unproven' | 'proven'
  /** Receivers that work all the time; each has proven so. */
  healthy: number
  /** Requests in flight per invocation: 6 in production, 50 locally. */
  slots: number
  /** How long events are published, and how often. */
  measureMs: number
  everyMs: number
  /** Settings that pace the deliveries of both kinds; none where left out. */
  paced?: { hanging: Record<string, unknown>; healthy: Record<string, unknown> }
  /** Events of one publish; one where left out. */
  perPublish?: number
  /** The longest that 99 of 100 first attempts at a healthy receiver may take. */
  p99MaxMs: number
  /** The longest that any of them may take. */
  maxMs: number
}

export const HANG_SECONDS = 10
/** An event goes to every healthy receiver and to those hanging ones of one group; every so often one goes to all. */
const GROUPS = 10
const EVENTS_PER_BROADCAST = 25
const SUBSCRIBERS = 8
/** What the first of the day may take, apart from what is measured. */
const WARM_UP_MS = 30_000

/**
 * Publishes events that go to receivers that hang and to healthy ones, and times the first attempts at the healthy: how
 * many hang must not matter to them.
 */
export async function proveHanging(context: ProofContext, options: HangingOptions): Promise<ProofResult> {
  const { stateDir, progress } = context
  const receiver = await Receiver.start()
  const env = { DELIVERY_SLOTS: String(options.slots) }
  let relay: RelayProcess | null = null
  try {
    relay = await RelayProcess.start({ stateDir, env })
    const client = new RelayClient(relay)
    await subscribe(client, receiver, options)
    progress(`${options.hanging} receivers begin to hang`)
    for (let n = 0; n < options.hanging; n++) receiver.script(hangingPath(n), 'hang')
    const sent = await publishMeanwhile(client, options)
    progress(`${sent.size} events are published`)
    const last = [...sent.keys()]
    for (let n = 0; n < options.healthy; n++) await arrivalOf(receiver, healthyPath(n), last, options.maxMs)
    return judge(receiver, relay, sent, options)
  } finally {
    await relay?.kill9()
    await receiver.close()
  }
}

const hangingPath = (n: number) => `/hanging/${n}`
const healthyPath = (n: number) => `/healthy/${n}`

/** Healthy receivers come last where they are to suffer most: the order of subscriptions is that of attempts. */
async function subscribe(client: RelayClient, receiver: Receiver, options: HangingOptions): Promise<void> {
  const { hanging, healthy, before } = options
  const retryPolicy = { schedule: [30, 300] }
  const queue = Array.from({ length: hanging }, (_, n) => n)
  const subscribeHanging = async () => {
    for (let n = queue.shift(); n !== undefined; n = queue.shift()) {
      const events = [`mix.group${n % GROUPS}`, 'mix.all', 'warm.all']
      if (before === 'unproven') events.pop()
      await client.subscribe({
        ...{ url: receiver.url(hangingPath(n)), events, retryPolicy, timeoutSeconds: HANG_SECONDS },
        ...options.paced?.hanging,
      })
    }
  }
  await Promise.all(Array.from({ length: SUBSCRIBERS }, subscribeHanging))
  for (let n = 0; n < healthy; n++)
    await client.subscribe({
      ...{ url: receiver.url(healthyPath(n)), events: ['mix.*', 'warm.all'], ...options.paced?.healthy },
    })
  const paths = Array.from({ length: healthy }, (_, n) => healthyPath(n))
  if (before === 'proven') paths.push(...Array.from({ length: hanging }, (_, n) => hangingPath(n)))
  for (let round = 1; round <= 3; round++) {
    await client.publish({ event: 'warm.all', data: { round } })
    for (const path of paths) {
      if (!(await receiver.waitForDelivered(path, round, WARM_UP_MS))) throw new Error(`${path} gets nothing`)
    }
  }
}

/** Publishes at a steady rate, however long an answer takes, and notes when each publish began. */
async function publishMeanwhile(client: RelayClient, options: HangingOptions): Promise<Map<string, number>> {
  const sent = new Map<string, number>()
  const answers: Promise<void>[] = []
  const startedAtMs = Date.now()
  for (let n = 0; n * options.everyMs < options.measureMs; n++) {
    await sleep(Math.max(0, startedAtMs + n * options.everyMs - Date.now()))
    const event = n % EVENTS_PER_BROADCAST === 0 ? 'mix.all' : `mix.group${n % GROUPS}`
    const atMs = Date.now()
    const events = Array.from({ length: options.perPublish ?? 1 }, (_, i) => ({ event, data: { n, i } }))
    answers.push(
      client.publish(events).then(({ ids }) => {
        for (const id of ids) sent.set(id, atMs)
      }),
    )
  }
  await Promise.all(answers)
  return sent
}

/** Waits until all events have arrived, as long as even the last of them may take. */
async function arrivalOf(
  receiver: Receiver,
  path: string,
  ids: readonly string[],
  maxMs: number,
): Promise<void> {
  const deadline = Date.now() + maxMs
  while (Date.now() < deadline && !ids.every((id) => receiver.byId(path).has(id))) await sleep(50)
}

function judge(
  receiver: Receiver,
  relay: RelayProcess,
  sent: ReadonlyMap<string, number>,
  options: HangingOptions,
): ProofResult {
  const { hanging, healthy, before, slots, p99MaxMs, maxMs } = options
  const violations: string[] = []
  const delays: number[] = []
  let missing = 0
  for (let n = 0; n < healthy; n++) {
    const path = healthyPath(n)
    for (const [id, atMs] of sent) {
      const arrivedMs = receiver.byId(path).get(id)?.[0]?.atMs
      if (arrivedMs === undefined) missing++
      else delays.push(arrivedMs - atMs)
    }
    const doubled = receiver.doubled(path).length
    if (doubled > 0) violations.push(`${path}: ${doubled} events arrived twice`)
  }
  const [p50, p99, max] = [quantile(delays, 0.5), quantile(delays, 0.99), Math.max(...delays)]
  if (sent.size < options.measureMs / options.everyMs)
    violations.push(`only ${sent.size} events were accepted`)
  if (missing > 0)
    violations.push(`${missing} deliveries had not arrived ${seconds(maxMs)} after the last event`)
  if (p99 > p99MaxMs) violations.push(`p99 is ${p99} ms, more than ${p99MaxMs} ms`)
  if (max > maxMs) violations.push(`one took ${max} ms, more than ${maxMs} ms`)
  const hung = Array.from({ length: hanging }, (_, n) => receiver.requests(hangingPath(n)).length)
  // The local queue says so when it breaks: sends fail, and the relay logs them.
  const failed = relay.output.match(/hint\.failed|"failure":"[^"]*"|sweep\.failed/g) ?? []
  if (failed.length > 0)
    violations.push(`the relay reports failures: ${[...new Set(failed)].slice(0, 3).join('; ')}`)
  return {
    figures: {
      receivers: `${hanging} ${before} ones that hang ${HANG_SECONDS} s, ${healthy} healthy; ${slots} slots`,
      'first attempts at the healthy': `p50 ${p50} ms, p99 ${p99} ms, max ${max} ms (${delays.length} deliveries)`,
      'requests at the hanging': hung.reduce((sum, count) => sum + count, 0),
    },
    violations,
  }
}
