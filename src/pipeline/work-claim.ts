import { type Announcement, exhaustedAnnouncement, isOperational } from '../domain/announcement.ts'
import { deliveryIdOf, eventIdOf, type Pair, pairKey, type StoredEvent } from '../domain/delivery.ts'
import { type Disposition, dispositionOf, type Wish } from '../domain/disposition.ts'
import type { Subscription } from '../domain/subscription.ts'
import type { Claim, ClaimedRow } from '../storage/claims.ts'
import type { ConditionChange } from '../storage/condition.ts'
import { type AttemptDeps, type AttemptReport, makeAttempt } from './attempt.ts'
import type { InFlight } from './in-flight.ts'
import { TOKEN_TIMEOUT_MS } from './oauth-token.ts'
import { PayloadRenderer } from './payload.ts'
import { concludeNotes, NO_NOTES, noteAttempt, type ReceiverNotes } from './receiver-notes.ts'
import { SettleBuffer, type SettleFn } from './settle-buffer.ts'
import type { Slots } from './slots.ts'

export type WorkDeps = {
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

/** What came of a claim: when failed deliveries are due again, by subscription. */
export type WorkReport = { attempts: number; delivered: number; dueMs: Map<number, number> }

/** A delivery cut short without an attempt is looked at again after this time. */
const REST_MS = 30_000
/** No attempt starts when it could outlive its claim. */
const CLAIM_MARGIN_MS = 5_000

type Task = {
  pair: Pair
  event: StoredEvent
  subscription: Subscription
  n: number
  row: ClaimedRow | null
}

/** One claim under work. */
type Run = {
  deps: WorkDeps
  expiresAtMs: number
  invocation: Invocation
  buffer: SettleBuffer
  report: WorkReport
  notes: Map<number, ReceiverNotes>
  /** Subscriptions of which this claim makes the one attempt that a half-open breaker allows. */
  probed: Set<number>
  exhausted: Announcement[]
  renderer: PayloadRenderer
  forced: boolean
}

/**
 * Makes every attempt of a claim, within the invocation's slots, and records the outcomes. `forced` claims are of
 * deliveries that a person asked for. Rejects only when D1 fails.
 */
export async function workClaim(
  deps: WorkDeps,
  claim: Claim,
  claimExpiresAtMs: number,
  invocation: Invocation,
  { forced } = { forced: false },
): Promise<WorkReport> {
  const run: Run = {
    deps,
    expiresAtMs: claimExpiresAtMs,
    invocation,
    buffer: new SettleBuffer(claim.id, deps.settle),
    report: { attempts: 0, delivered: 0, dueMs: new Map() },
    notes: new Map(),
    probed: new Set(),
    exhausted: [],
    renderer: new PayloadRenderer(deps.attempt.bodies),
    forced,
  }
  await Promise.all(tasksOf(claim).map((task) => workTask(run, task)))
  const { changes, announcements } = conclude(run, claim.subscriptions)
  // Told before it is written: who crashes between the two tells it again, under the same key.
  await deps.announce([...run.exhausted, ...announcements])
  await run.buffer.finish(changes)
  return run.report
}

async function workTask(run: Run, task: Task): Promise<void> {
  const { subscription, event } = task
  const nowMs = run.deps.now()
  const disposition = dispositionOf(subscription, event, { wish: wishOf(run, task), nowMs })
  if (!isToBeAttempted(run, task, disposition, nowMs)) return
  await run.invocation.slots.run(subscription.no, async () => {
    if (restIfCutShort(run, task)) return
    const attempt = () => attemptTask(run, task)
    const report = await (event.bodyKey === null
      ? attempt()
      : run.invocation.largeSlots.run(subscription.no, attempt))
    note(run, task, report)
    run.buffer.attempt(report.record)
  })
}

async function attemptTask(run: Run, task: Task): Promise<AttemptReport> {
  const { attempt, inFlight, now } = run.deps
  const end = inFlight.begin(task.subscription.no, now())
  try {
    return await makeAttempt(attempt, { ...task, earlier: task.row, renderer: run.renderer })
  } finally {
    end()
  }
}

function wishOf({ forced }: Run, { row }: Task): Wish {
  if (forced) return 'person'
  return (row?.replayId ?? null) === null ? 'event' : 'replay'
}

/** Ends, defers or leaves what is not to be attempted now. */
function isToBeAttempted(run: Run, task: Task, disposition: Disposition, nowMs: number): boolean {
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

function tasksOf(claim: Claim): Task[] {
  const events = new Map(claim.events.map((event) => [eventKey(event), event]))
  const subscriptions = new Map(claim.subscriptions.map((subscription) => [subscription.no, subscription]))
  const rows = new Map(claim.rows.map((row) => [pairKey(row), row]))
  return claim.pairs.flatMap((pair) => {
    const event = events.get(eventKey(pair))
    const subscription = subscriptions.get(pair.subscriptionNo)
    const row = rows.get(pairKey(pair))
    if (event === undefined || subscription === undefined) return []
    return [{ pair, event, subscription, n: (row?.attempts ?? 0) + 1, row: row ?? null }]
  })
}

function eventKey({ workspaceNo, seq }: { workspaceNo: number; seq: number }): string {
  return `${workspaceNo}/${seq}`
}

/** Leaves a delivery for later: its receiver hangs, or the claim would not last. Rows that exist stay due. */
function restIfCutShort(run: Run, task: Task): boolean {
  const { subscription, row } = task
  const nowMs = run.deps.now()
  const outlives = nowMs + longestAttemptMs(subscription) + CLAIM_MARGIN_MS > run.expiresAtMs
  const isShort =
    run.invocation.cutShort.has(subscription.no) || run.deps.inFlight.isSlow(subscription.no, nowMs)
  if (!outlives && (run.forced || task.event.isTest || !isShort)) return false
  if (row === null) {
    rest(run, task, nowMs + REST_MS)
    noteDue(run.report, subscription.no, nowMs + REST_MS)
  }
  return true
}

/** Gives a delivery a row that is due at a time, or moves the one it has. */
function rest(run: Run, { event, subscription, row }: Task, dueAtMs: number): void {
  const { seq, type, isTest } = event
  if (row === null) run.buffer.rest({ subscriptionNo: subscription.no, seq, type, isTest, dueAtMs })
  else run.buffer.defer({ subscriptionNo: subscription.no, seq, dueAtMs })
}

/** An attempt may ask for an access token, be refused, ask for another one and try again. */
function longestAttemptMs({ settings, sealed }: Subscription): number {
  const timeoutMs = settings.timeoutSeconds * 1000
  return sealed.authCipher === null ? timeoutMs : 2 * (timeoutMs + TOKEN_TIMEOUT_MS)
}

function note(run: Run, task: Task, attempt: AttemptReport): void {
  const { record, retryAfterUntilMs } = attempt
  const { report, invocation } = run
  const { subscriptionNo: no } = record
  run.notes.set(no, noteAttempt(run.notes.get(no) ?? NO_NOTES, attempt, { forced: run.forced }))
  if (record.error?.startsWith('timeout') || retryAfterUntilMs !== null || attempt.isGone)
    invocation.cutShort.add(no)
  report.attempts++
  if (record.success) report.delivered++
  if (record.dueAtMs !== null) noteDue(report, no, record.dueAtMs)
  else if (!record.success) noteExhausted(run, task, attempt)
}

/** The relay's own events are not announced in turn: that would never end. */
function noteExhausted(run: Run, { event, subscription, n }: Task, { record }: AttemptReport): void {
  if (record.isTest || isOperational(event.type) || subscription.kind !== 'subscription') return
  const delivery = {
    id: deliveryIdOf(record),
    eventId: eventIdOf(event),
    event: event.type,
    attempts: n,
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
): { changes: ConditionChange[]; announcements: Announcement[] } {
  const nowMs = deps.now()
  const concluded = subscriptions.flatMap((subscription) => {
    const seen = notes.get(subscription.no)
    return seen === undefined ? [] : [concludeNotes(subscription, seen, nowMs, deps.random())]
  })
  return {
    changes: concluded.flatMap(({ change }) => (change === null ? [] : [change])),
    announcements: concluded.flatMap(({ announcements }) => announcements),
  }
}
