import { setTimeout as sleep } from 'node:timers/promises'
import { RelayClient, type TestEvent } from '../../test/support/process/relay-client.ts'
import { RelayProcess } from '../../test/support/process/relay-process.ts'
import { waitUntil } from '../../test/support/receivers/receiver.ts'
import { StrictReceiver } from '../../test/support/receivers/strict-receiver.ts'
import { type ProofContext, type ProofResult, quantile } from './proof.ts'

/** `requests`: how many are made in all, over all limits and answers. */
export type LimitsOptions = { requests: number }

const LIMITS = [
  { requests: 20, perSeconds: 1 },
  { requests: 100, perSeconds: 1 },
  { requests: 200, perSeconds: 5 },
]
/** The part of a limit that has to be used, by how long answers take. */
const ANSWERS = [
  { answerMs: 1, usedMin: 0.95 },
  { answerMs: 400, usedMin: 0.95 },
  { answerMs: 1_500, usedMin: 0.9 },
]
/** Events of each limit that are scheduled while its backlog is delivered. */
const SCHEDULED = 20
const LATE_MS_MAX = 1_000
const PER_PUBLISH = 100

/** One subscription: a limit, its events, and where they go. */
type Lane = (typeof LIMITS)[number] & { path: string; event: string; count: number }

/**
 * Publishes backlogs to receivers that keep a sliding window of exactly their subscriptions' limits. They must refuse
 * nothing, their limits must be used, and events that are scheduled meanwhile must come at their time.
 */
export async function proveLimits(context: ProofContext, { requests }: LimitsOptions): Promise<ProofResult> {
  const result: ProofResult = { figures: {}, violations: [] }
  const receiver = await StrictReceiver.start()
  const relay = await RelayProcess.start({ stateDir: context.stateDir })
  try {
    for (const { answerMs, usedMin } of ANSWERS) {
      const lanes = lanesOf(answerMs, requests / ANSWERS.length)
      await deliver(new RelayClient(relay), receiver, { lanes, answerMs })
      for (const lane of lanes) judge(result, receiver, { lane, usedMin, answerMs })
      context.progress(`answers of ${answerMs} ms: ${lanes.map(({ count }) => count).join(', ')} requests`)
    }
    return result
  } finally {
    await relay.stop()
    await receiver.close()
  }
}

/** Shares requests among the limits so that all of them are busy for as long. */
function lanesOf(answerMs: number, requests: number): Lane[] {
  const perSecond = LIMITS.reduce((sum, limit) => sum + limit.requests / limit.perSeconds, 0)
  return LIMITS.map((limit, i) => ({
    ...limit,
    path: `/${limit.requests}-in-${limit.perSeconds}-after-${answerMs}`,
    event: `load.limit${i}after${answerMs}`,
    count: Math.ceil((requests * (limit.requests / limit.perSeconds)) / perSecond),
  }))
}

type Delivering = { lanes: readonly Lane[]; answerMs: number }

async function deliver(client: RelayClient, receiver: StrictReceiver, { lanes, answerMs }: Delivering) {
  const lastsMs = Math.max(
    ...lanes.map(({ count, requests, perSeconds }) => (1000 * count * perSeconds) / requests),
  )
  for (const { path, event, count, requests, perSeconds } of lanes) {
    const url = receiver.open(path, { requests, perSeconds, answerMs })
    await client.subscribe({ url, events: [event], rateLimit: { requests, perSeconds } })
    const backlog = Array.from({ length: count - SCHEDULED }, (_, n) => ({ event, data: { n } }))
    const scheduled = scheduledEvents(event, { fromMs: Date.now() + 3_000, spanMs: lastsMs / 2 })
    const events: TestEvent[] = [...backlog, ...scheduled]
    while (events.length > 0) await client.publish(events.splice(0, PER_PUBLISH))
  }
  const isOver = () => lanes.every(({ path, count }) => receiver.log(path).delivered.size >= count)
  await waitUntil(isOver, 2 * lastsMs + 10_000)
  await sleep(answerMs)
}

function scheduledEvents(event: string, { fromMs, spanMs }: { fromMs: number; spanMs: number }) {
  return Array.from({ length: SCHEDULED }, (_, n) => {
    const dueAtMs = Math.round(fromMs + (spanMs * n) / SCHEDULED)
    return { event, deliverAt: new Date(dueAtMs).toISOString(), data: { dueAtMs } }
  })
}

type Judged = { lane: Lane; usedMin: number; answerMs: number }

function judge(result: ProofResult, receiver: StrictReceiver, { lane, usedMin, answerMs }: Judged): void {
  const { path, requests, perSeconds, count } = lane
  const { refused, delivered, lateMs } = receiver.log(path)
  const used = receiver.usedShare(path)
  const name = `${requests} in ${perSeconds} s, answers of ${answerMs} ms`
  result.figures[name] = [
    `${(100 * used).toFixed(1)} % used`,
    `${refused} of ${count} refused`,
    `scheduled ones late by ${quantile(lateMs, 0.5)} ms (p50), ${Math.max(...lateMs)} ms (most)`,
  ].join(', ')
  const broken = (what: string) => result.violations.push(`${name}: ${what}`)
  if (refused > 0) broken(`${refused} requests were refused`)
  if (delivered.size < count) broken(`${count - delivered.size} events did not arrive`)
  if (used < usedMin) broken(`only ${(100 * used).toFixed(1)} % were used`)
  if (Math.max(...lateMs) > LATE_MS_MAX) broken(`a scheduled event was ${Math.max(...lateMs)} ms late`)
  if (Math.min(...lateMs) < 0) broken('a scheduled event came too early')
}
