import type { Background, BackgroundLimit } from './base/concurrency/background-limit.ts'
import { Slots } from './base/concurrency/slots.ts'
import { TaskGroup } from './base/concurrency/task-group.ts'
import { describeError } from './base/log.ts'
import { sleep } from './base/time.ts'
import type { Invocation } from './deliver/claim-run.ts'
import type { ConsumerDeps } from './deliver/consumer-deps.ts'
import { deliverDue, deliverRequested } from './deliver/due-deliveries.ts'
import { deliverFirstAttempts } from './deliver/first-attempts.ts'
import { verifyOwnership } from './deliver/ownership/verify.ts'
import type { PacedDeps } from './deliver/paced/deps.ts'
import { servePacedQueue } from './deliver/paced/serve-queue.ts'
import { type ConsumeReport, consumeBatch } from './hints/consume-batch.ts'
import {
  type DueHint,
  dueHintSchema,
  firstAttemptsHintSchema,
  hintSchema,
  pacedHintSchema,
  type RetriesHint,
  retriesHintSchema,
} from './hints/hint.ts'
import { repairDeadLetters } from './operate/dead-letters/dead-letters.ts'
import type { Relay, RelayResult } from './relay.ts'
import { consumeReplay } from './replay/run.ts'

/** Payloads above 60 KB that are in memory at once: at 10 MB each, four leave room in an isolate's 128 MB. */
const LARGE_PAYLOADS_IN_MEMORY = 4

/** Memory of a challenge that waits for its receiver. */
const CHALLENGE_BYTES = 20_000

type KeepAlive = (work: Promise<unknown>) => void

/** Routes a queue batch to its consumer. Without a configuration all messages are retried: waiting loses nothing. */
export async function handleQueue(
  result: RelayResult,
  batch: MessageBatch,
  keepAlive: KeepAlive,
): Promise<void> {
  if (!result.ok) {
    batch.retryAll({ delaySeconds: 60 })
    return
  }
  const { relay } = result
  if (relay.drain.isClosed) {
    batch.retryAll()
    return
  }
  const { messages, queue: name } = batch
  const meta = { log: relay.log, now: relay.now, name }
  const { claims, servings } = relay.background
  const claimDeps = (report: ConsumeReport) => consumerDeps(relay, report, backgroundOf(claims, keepAlive))
  const run = (report: ConsumeReport) => ({ report, invocation: newInvocation(relay) })
  switch (name) {
    case 'posthorn-deliveries':
    case 'posthorn-bulk-deliveries':
      return await consumeBatch(messages, firstAttemptsHintSchema, meta, (hints, report) =>
        deliverFirstAttempts(claimDeps(report), hints, {
          ...run(report),
          receivers: 'proven',
          claimClass: name === 'posthorn-deliveries' ? 'single' : 'other',
        }),
      )
    case 'posthorn-unproven-deliveries':
      return await consumeBatch(messages, firstAttemptsHintSchema, meta, (hints, report) =>
        deliverFirstAttempts(claimDeps(report), hints, {
          ...run(report),
          receivers: 'unproven',
          claimClass: 'unproven',
        }),
      )
    case 'posthorn-retries':
      return await consumeBatch(messages, retriesHintSchema, meta, (hints, report) =>
        consumeRetries(relay, claimDeps(report), hints, report),
      )
    case 'posthorn-bulk-retries':
      return await consumeBatch(messages, dueHintSchema, meta, (hints, report) =>
        deliverDue(claimDeps(report), subscriptionsOf(hints), { ...run(report), look: 'backlog' }),
      )
    case 'posthorn-paced':
      return await consumeBatch(messages, pacedHintSchema, meta, (hints, report) =>
        servePacedQueue(pacedDeps(relay, report, backgroundOf(servings, keepAlive)), hints, {
          invocation: newInvocation(relay),
          report,
        }),
      )
    case 'posthorn-dead-letters':
      return await consumeBatch(messages, hintSchema, meta, (hints, report) =>
        repairDeadLetters({ db: relay.env.DB, now: relay.now }, hints, report),
      )
    default:
      throw new Error(`no consumer for queue ${name}`)
  }
}

/** Serves the retries queue: first deliveries and challenges a person asked for, then a few steps of each replay, then due deliveries. */
async function consumeRetries(
  relay: Relay,
  deps: ConsumerDeps,
  hints: readonly RetriesHint[],
  report: ConsumeReport,
): Promise<void> {
  const run = { invocation: newInvocation(relay), report }
  const { requested, unverifiedNos, replayNos, subscriptionNos } = sortHints(hints)
  for (const pair of requested) await deliverRequested(deps, pair, run)
  const verifyDeps = {
    ...deps.work.attempt,
    db: deps.db,
    origin: relay.settings.ownHostnames[0] ?? 'posthorn',
  }
  // A receiver that hangs holds a connection, and none of the work behind it.
  const challenges = new TaskGroup(deps.background)
  for (const no of unverifiedNos) {
    const challenged = verifyOwnership(verifyDeps, no).catch((error) =>
      relay.log('ownership.failed', { subscription: no, error: describeError(error) }),
    )
    challenges.start(challenged, () => CHALLENGE_BYTES)
  }
  await challenges.join()
  const replayDeps = { db: deps.db, bodies: relay.env.BODIES, now: deps.now, hints: deps.hints }
  for (const replayNo of replayNos) await consumeReplay(replayDeps, replayNo)
  if (subscriptionNos.length > 0) await deliverDue(deps, subscriptionNos, { ...run, look: 'first' })
  report.done.fill(true)
}

function sortHints(hints: readonly RetriesHint[]) {
  const requested = hints.flatMap((hint) => (hint.kind === 'delivery' ? [hint] : []))
  const unverified = new Set(hints.flatMap((hint) => (hint.kind === 'verify' ? [hint.subscriptionNo] : [])))
  const replayNos = new Set(hints.flatMap((hint) => (hint.kind === 'replay' ? [hint.replayNo] : [])))
  const subscriptionNos = subscriptionsOf(hints.filter((hint) => hint.kind === 'due'))
  return { requested, unverifiedNos: [...unverified], replayNos: [...replayNos], subscriptionNos }
}

function subscriptionsOf(hints: readonly DueHint[]): number[] {
  return [...new Set(hints.map(({ subscriptionNo }) => subscriptionNo))]
}

function consumerDeps(
  relay: Relay,
  report: ConsumeReport,
  background: (onEnd: () => void) => Background,
): ConsumerDeps {
  return {
    db: relay.env.DB,
    work: relay.work,
    now: relay.now,
    newId: () => crypto.randomUUID(),
    hints: relay.hints,
    background: background(() => logBackground(relay, report)),
  }
}

function pacedDeps(
  relay: Relay,
  report: ConsumeReport,
  background: (onEnd: () => void) => Background,
): PacedDeps {
  return {
    ...consumerDeps(relay, report, background),
    sleep,
    turns: relay.turns,
    lateStarts: relay.lateStarts,
    callPacer: relay.pacers.call,
  }
}

/** The background of one invocation; `onEnd` is called after each piece of work that was left to it. */
function backgroundOf(limit: BackgroundLimit, keepAlive: KeepAlive): (onEnd: () => void) => Background {
  return (onEnd) => limit.of((work) => keepAlive(work.then(onEnd)))
}

/** An invocation's own line is written when it ends; this one adds what its background came to since. */
function logBackground({ log }: Relay, report: ConsumeReport): void {
  const { claims, attempts, delivered, unsettled, unsettledError } = report
  log('queue.left', { claims, attempts, delivered, unsettled, unsettledError })
}

function newInvocation(relay: Relay): Invocation {
  return {
    slots: new Slots(relay.settings.slots),
    largeSlots: new Slots(LARGE_PAYLOADS_IN_MEMORY),
    pausedReceivers: new Set(),
  }
}
