import type { Slots } from '../base/concurrency/slots.ts'
import { TOKEN_TIMEOUT_MS } from '../destination/token-request.ts'
import { deliveryIdOf, eventIdOf } from '../model/delivery.ts'
import { BLOCKED_UNTIL_MS } from '../outcome/retry-policy.ts'
import { hasRequestLimit } from '../pacing/settings.ts'
import { BREAKER_FAULTS_MIN } from '../receiver/breaker.ts'
import type { InFlight } from '../receiver/in-flight.ts'
import { type Announcement, exhaustedAnnouncement, isOperational } from '../receiver/operational-event.ts'
import type { Subscription } from '../subscription/subscription.ts'
import { type Admission, admissionOf, type Wish } from './admission.ts'
import type { AttemptDeps, AttemptRecord, AttemptReport } from './attempt/attempt.ts'
import type { ClaimedDelivery } from './attempt/claimed-delivery.ts'
import { PayloadRenderer } from './attempt/payload-renderer.ts'
import type { Claim } from './claims.sql.ts'
import {
  assessObservations,
  NO_OBSERVATIONS,
  observeAttempt,
  type ReceiverObservations,
} from './receiver-observations.ts'
import { OutcomeBuffer, type SettleFn } from './settle/outcome-buffer.ts'
import type { ReceiverStateChange } from './settle/receiver-state.sql.ts'

export type WorkDeps = {
  db: D1Database
  attempt: AttemptDeps
  settle: SettleFn
  /** Tells whoever asked for it what happened to subscriptions and deliveries. Never rejects. */
  announce: (announcements: readonly Announcement[]) => Promise<void>
  /** What this isolate has under way, over all invocations. */
  inFlight: InFlight
  now: () => number
  random: () => number
}

/** What consumers of one invocation share. */
export type Invocation = {
  slots: Slots
  /** Bounds how many large payloads are in memory at once. */
  largeSlots: Slots
  /** Receivers that hang, or asked to be left alone, in this invocation; they get no further attempt in it. */
  cutShort: Set<number>
}

/**
 * What came of a claim: when failed deliveries are due again, by subscription; whether batches were split, so that parts
 * of them are due at once; and whether some deliveries were not started.
 */
export type WorkReport = {
  attempts: number
  delivered: number
  dueMs: Map<number, number>
  hasSplit: boolean
  hasLeft: boolean
}

/** A delivery cut short without an attempt is looked at again after this time. */
const REST_MS = 30_000
/** No attempt starts when it could outlive its claim. */
const CLAIM_MARGIN_MS = 5_000

/** One claim under work. */
export type Run = {
  deps: WorkDeps
  expiresAtMs: number
  invocation: Invocation
  buffer: OutcomeBuffer
  report: WorkReport
  notes: Map<number, ReceiverObservations>
  /** Subscriptions of which this claim makes the one attempt that a half-open breaker allows. */
  probed: Set<number>
  exhausted: Announcement[]
  renderer: PayloadRenderer
  forced: boolean
  /** Requests of one subscription that wait for their turn, not all at once. */
  isPaced: boolean
  /** Events whose deliveries were not started. */
  left: Set<number>
}

/** Begins work on a claim. */
export function newRun(
  deps: WorkDeps,
  claim: Claim,
  expiresAtMs: number,
  invocation: Invocation,
  { forced, isPaced }: Pick<Run, 'forced' | 'isPaced'>,
): Run {
  return {
    deps,
    expiresAtMs,
    invocation,
    buffer: new OutcomeBuffer(claim.id, deps.settle),
    report: { attempts: 0, delivered: 0, dueMs: new Map(), hasSplit: false, hasLeft: false },
    notes: new Map(),
    probed: new Set(),
    exhausted: [],
    renderer: new PayloadRenderer(deps.attempt.bodies),
    forced,
    isPaced,
    left: new Set(),
  }
}

/** Ends work on a claim: says what is to be told, and records what was found of the receivers. */
export async function endRun(run: Run, { subscriptions }: Claim): Promise<WorkReport> {
  const { changes, announcements } = conclude(run, subscriptions)
  // Told before it is written: who crashes between the two tells it again, under the same key.
  await run.deps.announce([...run.exhausted, ...announcements])
  await run.buffer.finish(changes)
  return { ...run.report, hasLeft: run.left.size > 0 }
}

/** Whether a delivery is to be attempted now; what is not is ended, deferred or left. */
export function admit(run: Run, task: ClaimedDelivery): 'attempt' | 'ended' | 'left' {
  const { subscription, event } = task
  const nowMs = run.deps.now()
  const disposition = admissionOf(subscription, event, { wish: wishOf(run, task), nowMs })
  if (isToBeAttempted(run, task, disposition, nowMs)) return 'attempt'
  return disposition.kind === 'skip' ? 'ended' : 'left'
}

/** Notes deliveries that were not started: they are as they were. */
export function leave({ left }: Run, tasks: readonly ClaimedDelivery[]): void {
  for (const { event } of tasks) left.add(event.seq)
}

/** Runs what is under way to a receiver, so that others can see that it hangs. */
export async function whileInFlight<T>(
  { deps }: Run,
  subscriptionNo: number,
  work: () => Promise<T>,
): Promise<T> {
  const end = deps.inFlight.begin(subscriptionNo, deps.now())
  try {
    return await work()
  } finally {
    end()
  }
}

function wishOf({ forced }: Run, { row }: ClaimedDelivery): Wish {
  if (forced) return 'person'
  return (row?.replayId ?? null) === null ? 'event' : 'replay'
}

/** Ends, defers or leaves what is not to be attempted now. */
function isToBeAttempted(run: Run, task: ClaimedDelivery, disposition: Admission, nowMs: number): boolean {
  const { subscriptionNo } = task.pair
  switch (disposition.kind) {
    case 'skip': {
      const { seq, type, isTest } = task.event
      run.buffer.skip({ subscriptionNo, seq, type, isTest, reason: disposition.reason })
      return false
    }
    case 'later':
      rest(run, task, disposition.dueAtMs)
      return false
    case 'held':
      if (task.row === null) rest(run, task, nowMs)
      return false
    case 'attempt':
      if (!disposition.probe) return true
      if (run.probed.has(subscriptionNo)) {
        if (task.row === null) rest(run, task, nowMs)
        return false
      }
      run.probed.add(subscriptionNo)
      return true
  }
}

/** Leaves a delivery for later: its receiver hangs, or the claim would not last. Rows that exist stay due. */
export function restIfCutShort(run: Run, task: ClaimedDelivery): boolean {
  const { subscription, row } = task
  const nowMs = run.deps.now()
  const outlives = nowMs + longestAttemptMs(subscription) + CLAIM_MARGIN_MS > run.expiresAtMs
  const isShort = isCutShort(run, subscription, nowMs)
  if (!outlives && (run.forced || task.event.isTest || !isShort)) return false
  if (row === null) {
    rest(run, task, nowMs + REST_MS)
    noteDue(run.report, subscription.no, nowMs + REST_MS)
  }
  return true
}

/**
 * Whether a receiver gets no further attempts for now. Where orders are kept apart by a key, one of them that hangs says
 * nothing of the others. Where a limit keeps requests few, they may be few because they take long: until one times out, they
 * go on.
 */
export function isCutShort(
  { invocation, deps }: Pick<Run, 'invocation' | 'deps'>,
  { no, settings }: Subscription,
  nowMs: number,
): boolean {
  if (settings.ordered && settings.orderingKey !== null) return false
  if (invocation.cutShort.has(no)) return true
  return hasRequestLimit(settings) ? deps.inFlight.isBurden(no, nowMs) : deps.inFlight.isSlow(no, nowMs)
}

/** Gives a delivery a row that is due at a time, or moves the one it has. */
function rest(run: Run, { event, subscription, row }: ClaimedDelivery, dueAtMs: number): void {
  const { seq, type, isTest } = event
  if (row === null) run.buffer.rest({ subscriptionNo: subscription.no, seq, type, isTest, dueAtMs })
  else run.buffer.defer({ subscriptionNo: subscription.no, seq, dueAtMs })
}

/** An attempt may ask for an access token, be refused, ask for another one and try again. */
function longestAttemptMs({ settings, sealed }: Subscription): number {
  const timeoutMs = settings.timeoutSeconds * 1000
  return sealed.authCipher === null ? timeoutMs : 2 * (timeoutMs + TOKEN_TIMEOUT_MS)
}

/** Notes what an attempt says of its receiver and when it is to be repeated. */
export function note(run: Run, task: ClaimedDelivery, attempt: AttemptReport): void {
  noteReceiver(run, attempt)
  noteOutcome(run, task, attempt.record)
}

/** Notes what one request says of its receiver. */
export function noteReceiver(
  { notes, invocation, report, forced, isPaced }: Run,
  attempt: AttemptReport,
): void {
  const { record, retryAfterUntilMs, isGone } = attempt
  const { subscriptionNo: no } = record
  const noted = observeAttempt(notes.get(no) ?? NO_OBSERVATIONS, attempt, { forced })
  notes.set(no, noted)
  // The breaker opens when this is written; what waits for its turn need not fail before that.
  const isBroken = isPaced && noted.breaker.faultsInRow >= BREAKER_FAULTS_MIN
  const asksForRest = record.error?.startsWith('timeout') || retryAfterUntilMs !== null || isGone
  if (asksForRest || isBroken) invocation.cutShort.add(no)
  report.attempts++
}

/** Notes what became of one delivery by an attempt, or by the batch that carried it. */
export function noteOutcome(run: Run, task: ClaimedDelivery, record: AttemptRecord): void {
  const { subscriptionNo: no, success, dueAtMs } = record
  if (success) run.report.delivered++
  else if (dueAtMs === null || dueAtMs === BLOCKED_UNTIL_MS) noteExhausted(run, task, record)
  else noteDue(run.report, no, dueAtMs)
}

/** The relay's own events are not announced in turn: that would never end. */
function noteExhausted(
  run: Run,
  { event, subscription, attemptNo }: ClaimedDelivery,
  record: AttemptRecord,
): void {
  if (record.isTest || isOperational(event.type) || subscription.kind !== 'subscription') return
  const delivery = {
    id: deliveryIdOf(record),
    eventId: eventIdOf(event),
    event: event.type,
    attempts: attemptNo,
    error: record.error,
    status: record.status,
  }
  run.exhausted.push(exhaustedAnnouncement(subscription, delivery))
}

function noteDue(report: WorkReport, subscriptionNo: number, dueAtMs: number): void {
  report.dueMs.set(
    subscriptionNo,
    Math.min(dueAtMs, report.dueMs.get(subscriptionNo) ?? Number.POSITIVE_INFINITY),
  )
}

function conclude(
  { deps, notes }: Run,
  subscriptions: readonly Subscription[],
): { changes: ReceiverStateChange[]; announcements: Announcement[] } {
  const nowMs = deps.now()
  const concluded = subscriptions.flatMap((subscription) => {
    const seen = notes.get(subscription.no)
    return seen === undefined ? [] : [assessObservations(subscription, seen, nowMs, deps.random())]
  })
  return {
    changes: concluded.flatMap(({ change }) => (change === null ? [] : [change])),
    announcements: concluded.flatMap(({ announcements }) => announcements),
  }
}
