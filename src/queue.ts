import type { Background, BackgroundLimit } from './base/concurrency/background-limit.ts'
import { Slots } from './base/concurrency/slots.ts'
import { sleep } from './base/time.ts'
import type { Invocation } from './deliver/claim-run.ts'
import { deliverDue, deliverRequested } from './deliver/due-deliveries.ts'
import { deliverFirstAttempts } from './deliver/first-attempts.ts'
import type { PacedDeps } from './deliver/paced/deps.ts'
import { servePacedQueue } from './deliver/paced/serve-queue.ts'
import { LOOK_AGAIN_SECONDS } from './deliver/paced/turn-limit.ts'
import { type ConsumeReport, consumeBatch } from './hints/consume-batch.ts'
import {
  type DueHint,
  type EventsHint,
  eventsHintSchema,
  type Hint,
  hintSchema,
  pacedHintSchema,
  type RetriesHint,
  retriesHintSchema,
} from './hints/hint.ts'
import { sendHints } from './hints/hint-sender.ts'
import { addDueRows } from './operate/dead-letters.sql.ts'
import type { Relay, RelayResult } from './relay.ts'
import { consumeReplay } from './replay/run.ts'

/** Payloads above 60 KB that are in memory at once: at 10 MB each, four leave room in an isolate's 128 MB. */
const LARGE_PAYLOADS_IN_MEMORY = 4

/** Routes a queue batch to its consumer. Without a configuration everything is put off: nothing is lost by waiting. */
export async function handleQueue(
  result: RelayResult,
  batch: MessageBatch,
  background: (work: Promise<unknown>) => void,
): Promise<void> {
  if (!result.ok) {
    batch.retryAll({ delaySeconds: 60 })
    return
  }
  const relay = result.relay
  const meta = { log: relay.log, now: relay.now, name: batch.queue }
  switch (batch.queue) {
    case 'posthorn-deliveries':
      return await consumeBatch(
        batch.messages,
        eventsHintSchema,
        (hints, report) => events(relay, hints, report, { isProven: true, background }),
        meta,
      )
    case 'posthorn-unproven-deliveries':
      return await consumeBatch(
        batch.messages,
        eventsHintSchema,
        (hints, report) => events(relay, hints, report, { isProven: false, background }),
        meta,
      )
    case 'posthorn-retries':
      return await consumeBatch(
        batch.messages,
        retriesHintSchema,
        (hints, report) => rest(relay, hints, report, background),
        meta,
      )
    case 'posthorn-paced':
      return await consumeBatch(
        batch.messages,
        pacedHintSchema,
        (hints, report) =>
          servePacedQueue(pacedDeps(relay, report, background), hints, newInvocation(relay), report),
        meta,
      )
    case 'posthorn-dead-letters':
      return await consumeBatch(
        batch.messages,
        hintSchema,
        (hints, report) => deadLetters(relay, hints, report),
        meta,
      )
    default:
      throw new Error(`no consumer for queue ${batch.queue}`)
  }
}

async function events(
  relay: Relay,
  hints: EventsHint[],
  report: ConsumeReport,
  { isProven, background }: { isProven: boolean; background: (work: Promise<unknown>) => void },
): Promise<void> {
  const { env } = relay
  const queue = isProven ? env.DELIVERIES : env.UNPROVEN_DELIVERIES
  const deps = {
    db: env.DB,
    work: relay.work,
    now: relay.now,
    newClaimId: () => crypto.randomUUID(),
    forwardUnproven: isProven ? (hints: EventsHint[]) => sendNow(env.UNPROVEN_DELIVERIES, hints) : null,
    sendBack: (rest: EventsHint[]) => sendNow(queue, rest),
    background: leftWork(relay, relay.stragglers.claims, report, background),
    isSlow: (no: number) => relay.work.inFlight.isSlow(no, relay.now()),
    lookAt: (nos: readonly number[]) => relay.hintPaced(nos.map((no) => ({ no }))),
    wake: async (dueMs: ReadonlyMap<number, number>) => void (await relay.wake(dueMs)),
  }
  await deliverFirstAttempts(deps, hints, newInvocation(relay), report)
}

/** What a person asked for comes first, then a few steps of each replay, then what is due. */
async function rest(
  relay: Relay,
  hints: RetriesHint[],
  report: ConsumeReport,
  background: (work: Promise<unknown>) => void,
): Promise<void> {
  const { env } = relay
  const invocation = newInvocation(relay)
  const deps = {
    background: leftWork(relay, relay.stragglers.claims, report, background),
    isSlow: (no: number) => relay.work.inFlight.isSlow(no, relay.now()),
    db: env.DB,
    work: relay.work,
    now: relay.now,
    newClaimId: () => crypto.randomUUID(),
    lookAt: (nos: readonly number[]) => relay.hintPaced(nos.map((no) => ({ no }))),
    sendBack: (nos: number[]) =>
      sendNow(
        env.RETRIES,
        nos.map((subscriptionNo): DueHint => ({ v: 1, kind: 'due', subscriptionNo })),
      ),
    wake: async (dueMs: ReadonlyMap<number, number>) => void (await relay.wake(dueMs)),
  }
  for (const hint of hints) {
    if (hint.kind === 'delivery') await deliverRequested(deps, hint, invocation, report)
  }
  for (const no of new Set(hints.flatMap((hint) => (hint.kind === 'replay' ? [hint.replayNo] : [])))) {
    await consumeReplay(replayDeps(relay, no), no)
  }
  const subscriptionNos = new Set(hints.flatMap((hint) => (hint.kind === 'due' ? [hint.subscriptionNo] : [])))
  if (subscriptionNos.size > 0) await deliverDue(deps, [...subscriptionNos], invocation, report)
  report.done.fill(true)
}

function pacedDeps(
  relay: Relay,
  report: ConsumeReport,
  background: (work: Promise<unknown>) => void,
): PacedDeps {
  return {
    db: relay.env.DB,
    work: relay.work,
    now: relay.now,
    sleep,
    newClaimId: () => crypto.randomUUID(),
    background: leftWork(relay, relay.stragglers.turns, report, background),
    turns: relay.turns,
    turn: relay.pacers.turn,
    sendBack: relay.hintPaced,
    lookLater: (no) => relay.hintPaced([{ no }], LOOK_AGAIN_SECONDS),
    wake: async (dueMs) => void (await relay.wake(dueMs)),
  }
}

function replayDeps(relay: Relay, replayNo: number): Parameters<typeof consumeReplay>[0] {
  const { env } = relay
  return {
    db: env.DB,
    bodies: env.BODIES,
    now: relay.now,
    wake: async (dueMs) => void (await relay.wake(dueMs, { overdue: true })),
    sendNext: (delaySeconds) =>
      sendHints(env.RETRIES, [{ hint: { v: 1, kind: 'replay', replayNo }, delaySeconds }]),
  }
}

/** Hints that failed again and again: their deliveries get rows that are due, which the sweeper brings back. */
async function deadLetters(relay: Relay, hints: Hint[], report: ConsumeReport): Promise<void> {
  for (const [i, hint] of hints.entries()) {
    if (hint.kind === 'events') {
      await addDueRows(
        relay.env.DB,
        { ...hint, subscriptions: hint.subscriptions ?? null },
        relay.now(),
      ).run()
    }
    report.done[i] = true
  }
}

/** Where an invocation leaves work it does not wait for; when that has ended, a line says what the invocation came to. */
function leftWork(
  { log }: Relay,
  stragglers: BackgroundLimit,
  report: ConsumeReport,
  keepAlive: (work: Promise<unknown>) => void,
): Background {
  return stragglers.of((work) => {
    const logged = work.then(() => {
      const { claims, attempts, delivered, unsettled, unsettledError } = report
      log('queue.left', { claims, attempts, delivered, unsettled, unsettledError })
    })
    keepAlive(logged)
  })
}

function newInvocation(relay: Relay): Invocation {
  return {
    slots: new Slots(relay.settings.slots),
    largeSlots: new Slots(LARGE_PAYLOADS_IN_MEMORY),
    cutShort: new Set(),
  }
}

async function sendNow(queue: Queue, hints: readonly (EventsHint | DueHint)[]): Promise<void> {
  await sendHints(
    queue,
    hints.map((hint) => ({ hint, delaySeconds: 0 })),
  )
}
