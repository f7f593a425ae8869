import type { RequestEnd } from '../base/concurrency/adaptive-limit.ts'
import type { Slots } from '../base/concurrency/slots.ts'
import { isWholeAnswer } from '../model/delivery.ts'
import { hasRequestLimit } from '../pacing/settings.ts'
import { BREAKER_FAULTS_MIN } from '../receiver/breaker.ts'
import type { InFlight } from '../receiver/in-flight.ts'
import type { Announcement } from '../receiver/operational-event.ts'
import type { UnprovenReceivers } from '../receiver/unproven-receivers.ts'
import type { StreamHubs } from '../stream/client.ts'
import type { Subscription } from '../subscription/subscription.ts'
import { admissionOf, type Wish } from './admission.ts'
import { type AttemptDeps, type AttemptReport, makeAttempt } from './attempt/attempt.ts'
import { type ClaimedDelivery, deliveriesOf } from './attempt/claimed-delivery.ts'
import { PayloadRenderer } from './attempt/payload/payload-renderer.ts'
import { requestEndOf } from './attempt/request-end.ts'
import { longestAttemptMs } from './attempt/send.ts'
import { ClaimOutcomes, type OnFreed } from './claim-outcomes.ts'
import type { Claim } from './claims.sql.ts'
import type { DeliveryLines } from './delivery-lines.ts'
import { ObservedReceivers } from './receiver-observations.ts'
import type { EndedReceivers, SettleFn } from './settle/outcome-buffer.ts'

/** The dependencies of every claim of an isolate. */
export type WorkDeps = {
  db: D1Database
  /** Makes the requests; its clock and its chance are those of the whole run. */
  attempt: AttemptDeps
  settle: SettleFn
  /** Publishes operational events about subscriptions and deliveries. Never rejects. */
  announce: (announcements: readonly Announcement[]) => Promise<void>
  /** The requests of this isolate that are out, over all invocations. */
  inFlight: InFlight
  unproven: UnprovenReceivers
  lines: DeliveryLines
  streams: Pick<StreamHubs, 'tell'>
}

/** The bounds and findings that the claims of one invocation share. */
export type Invocation = {
  slots: Slots
  /** Bounds how many large payloads are in memory at once. */
  largeSlots: Slots
  /** Receivers that hang or asked for a pause: they get no further attempt in this invocation. */
  pausedReceivers: Set<number>
}

/** The terms on which one claim is worked. */
export type RunTerms = {
  expiresAtMs: number
  invocation: Invocation
  /** A person requested its deliveries: they pass breakers, pauses and schedules. */
  requestedByPerson?: boolean
  /** Its requests wait for permits instead of starting all at once. */
  isPaced?: boolean
  /** Called where receivers end one by one. */
  onFreed?: OnFreed
}

/** The sums of a worked claim. */
export type WorkReport = {
  attempts: number
  delivered: number
  /** When failed deliveries are due again, by subscription, but for receivers that are free already. */
  dueMs: Map<number, number>
  /** A batch was split, so that parts of it are due at once. */
  hasSplit: boolean
  /** Some deliveries were not started. */
  hasLeft: boolean
  /** Subscriptions with deliveries that stay due, since a probe was to show the way first. */
  heldNos: ReadonlySet<number>
}

/** The end of one delivery in this claim: attempted, or left untouched for a later claim. */
export type Fate = { kind: 'attempted'; isOver: boolean } | { kind: 'left' }

/** A delivery that was put off without an attempt is due again after this time. */
const RECHECK_MS = 30_000
/** The same where the receiver is only slow to answer its first requests: it may be well in a moment. */
const SLOW_RECHECK_MS = 3_000
/** No attempt starts when it could outlive its claim. */
const CLAIM_MARGIN_MS = 5_000

/** Works one claim: admits its deliveries, attempts them and records their outcomes, which `finish` completes. */
export class ClaimRun {
  readonly deps: WorkDeps
  readonly invocation: Invocation
  /** Those whose event and subscription are still there. */
  readonly deliveries: readonly ClaimedDelivery[]
  readonly renderer: PayloadRenderer
  /** Events whose deliveries were not started. */
  readonly left = new Set<number>()
  readonly #heldNos = new Set<number>()
  hasSplit = false
  readonly outcomes: ClaimOutcomes
  readonly #claim: Claim
  readonly #terms: RunTerms
  readonly #receivers = new ObservedReceivers()
  /** Subscriptions of which this claim makes the one attempt that a half-open breaker allows. */
  readonly #probed = new Set<number>()
  /** Subscriptions whose deliveries of this claim are over. */
  readonly #endedNos = new Set<number>()
  /** Requests under way: standstills are watched for while there are some. */
  #requests = 0
  #unwatch: () => void = () => undefined

  constructor(deps: WorkDeps, claim: Claim, terms: RunTerms) {
    this.deps = deps
    this.invocation = terms.invocation
    this.deliveries = deliveriesOf(claim)
    this.renderer = new PayloadRenderer(deps.attempt.bodies)
    this.#claim = claim
    this.#terms = terms
    this.outcomes = new ClaimOutcomes(claim, deps, terms.onFreed ?? (() => undefined))
  }

  /** Makes one attempt, unless the delivery is held, over, or would outlive the claim. */
  async deliver(delivery: ClaimedDelivery): Promise<void> {
    if (this.admit(delivery) === 'attempt') await this.attempt(delivery)
  }

  /** Decides about a delivery: `ended` ones are recorded as skipped, `left` ones wait in D1. */
  admit(delivery: ClaimedDelivery): 'attempt' | 'ended' | 'left' {
    const { subscription, event } = delivery
    const nowMs = this.#nowMs()
    const admission = admissionOf(subscription, event, { wish: this.#wishOf(delivery), nowMs })
    switch (admission.kind) {
      case 'attempt':
        return !admission.probe || this.#takeProbe(subscription.no) ? 'attempt' : this.#hold(delivery, nowMs)
      case 'held':
        return this.#hold(delivery, nowMs)
      case 'later':
        this.outcomes.waitUntil(delivery, admission.dueAtMs)
        return 'left'
      case 'skip':
        this.outcomes.skip(delivery, admission.reason, nowMs)
        return 'ended'
    }
  }

  /** Admits the members of a batch. They share one request, and so the one probe of their subscription. */
  admitBatch(members: readonly ClaimedDelivery[]) {
    const isProbed = members.some(({ subscription }) => this.#probed.has(subscription.no))
    return members.map((delivery) => {
      if (!isProbed) this.#probed.delete(delivery.subscription.no)
      return { delivery, admitted: this.admit(delivery) }
    })
  }

  /** Makes one attempt of an admitted delivery within the invocation's slots, if it may still start then. */
  async attempt(delivery: ClaimedDelivery, isInTime = () => true): Promise<Fate> {
    const { no, settings } = delivery.subscription
    // A pacer's permits bound its requests already.
    if (this.#terms.isPaced) return (await this.#attemptInSlot(delivery, isInTime)).value
    const receiver = { no, concurrency: settings.concurrency }
    const attempt = () => this.#attemptInSlot(delivery, isInTime)
    const fate = await this.deps.inFlight.admit(receiver, this.deps.attempt.now, attempt)
    // It waited in vain for its receiver.
    if (fate === null) this.#putBack(delivery, this.#nowMs())
    return fate ?? { kind: 'left' }
  }

  async #attemptInSlot(
    delivery: ClaimedDelivery,
    isInTime: () => boolean,
  ): Promise<{ value: Fate; end: RequestEnd }> {
    const { subscription, event } = delivery
    return await this.invocation.slots.run(subscription, async () => {
      if (!isInTime() || this.putOff(delivery)) return { value: { kind: 'left' }, end: { kind: 'other' } }
      const attempt = { ...delivery, earlier: delivery.row, renderer: this.renderer }
      const request = { subscription, isLarge: event.bodyKey !== null }
      const report = await this.send(request, () => makeAttempt(this.deps.attempt, attempt))
      this.observe(report)
      this.outcomes.attempt({ delivery, record: report.record })
      const value: Fate = { kind: 'attempted', isOver: report.record.dueAtMs === null }
      return { value, end: requestEndOf(report) }
    })
  }

  /**
   * Leaves a delivery for later where its receiver is paused here, or the claim would not last; false where it may
   * start. Deliveries that have a row stay due.
   */
  putOff(delivery: ClaimedDelivery): boolean {
    const { subscription, event, row } = delivery
    const nowMs = this.#nowMs()
    const outlivesClaim = nowMs + longestAttemptMs(subscription) + CLAIM_MARGIN_MS > this.#terms.expiresAtMs
    const passesPauses = this.#terms.requestedByPerson || event.isTest
    if (!outlivesClaim && (passesPauses || !isPausedHere(this, subscription, nowMs))) return false
    const isOnlySlow = !outlivesClaim && !this.invocation.pausedReceivers.has(subscription.no)
    if (row === null) this.#putBack(delivery, nowMs + (isOnlySlow ? SLOW_RECHECK_MS : RECHECK_MS))
    return true
  }

  /** Leaves a delivery to be due at a time; one with a row is due as it stands. */
  #putBack(delivery: ClaimedDelivery, dueAtMs: number): void {
    if (delivery.row === null) this.outcomes.waitUntil(delivery, dueAtMs)
    this.outcomes.wakeAt(delivery.subscription.no, dueAtMs)
  }

  /** Makes a request and counts it as in flight meanwhile, so that others see a receiver that hangs. */
  async send<T>(
    { subscription, isLarge }: { subscription: Subscription; isLarge: boolean },
    request: () => Promise<T>,
  ): Promise<T> {
    const send = async () => {
      const end = this.deps.inFlight.begin(subscription.no, this.#nowMs())
      if (this.#requests++ === 0) this.#unwatch = this.deps.attempt.http.stalls.watch()
      try {
        return await request()
      } finally {
        if (--this.#requests === 0) this.#unwatch()
        end()
      }
    }
    return await (isLarge ? this.invocation.largeSlots.run(subscription, send) : send())
  }

  /** Leaves deliveries that were not started as they were. */
  leave(deliveries: readonly ClaimedDelivery[]): void {
    for (const { event } of deliveries) this.left.add(event.seq)
  }

  /** Observes a receiver by the answer to one request. */
  observe(report: AttemptReport): void {
    const { record, retryAfterUntilMs, isGone } = report
    const { requestedByPerson = false, isPaced = false } = this.#terms
    const { breaker } = this.#receivers.observe(report, { requestedByPerson })
    // The breaker opens when this is written; deliveries that wait for a permit need not fail before that.
    const isBroken = isPaced && breaker.faultsInRow >= BREAKER_FAULTS_MIN
    const needsPause = record.error?.startsWith('timeout') || retryAfterUntilMs !== null || isGone
    if (needsPause || isBroken) this.invocation.pausedReceivers.add(record.subscriptionNo)
    if (isWholeAnswer(record)) this.deps.inFlight.answered(record.subscriptionNo, this.#nowMs())
  }

  /** Ends a receiver's part of the claim, which has no delivery to it left. */
  endReceiver(subscription: Subscription): void {
    this.outcomes.endReceivers(this.#assess([subscription]))
    this.#endedNos.add(subscription.no)
  }

  /** Announces what befell the subscriptions and writes what is not written yet. Rejects when D1 fails. */
  async finish(): Promise<WorkReport> {
    const rest = this.#claim.subscriptions.filter(({ no }) => !this.#endedNos.has(no))
    await this.outcomes.finish(this.#assess(rest))
    return {
      attempts: this.#receivers.attempts,
      delivered: this.outcomes.delivered,
      dueMs: this.outcomes.dueMs,
      hasSplit: this.hasSplit,
      hasLeft: this.left.size > 0,
      heldNos: this.#heldNos,
    }
  }

  #assess(subscriptions: readonly Subscription[]): EndedReceivers {
    const { random } = this.deps.attempt
    const assessed = this.#receivers.assess(subscriptions, this.#nowMs(), random)
    return { subscriptionNos: subscriptions.map(({ no }) => no), ...assessed }
  }

  #nowMs(): number {
    return this.deps.attempt.now()
  }

  #wishOf({ row }: ClaimedDelivery): Wish {
    if (this.#terms.requestedByPerson) return 'person'
    return (row?.replayId ?? null) === null ? 'event' : 'replay'
  }

  /** False where this claim probes the subscription already. */
  #takeProbe(subscriptionNo: number): boolean {
    if (this.#probed.has(subscriptionNo)) return false
    this.#probed.add(subscriptionNo)
    return true
  }

  /** Gives a held delivery a row, so that it is found once the hold ends. */
  #hold(delivery: ClaimedDelivery, nowMs: number): 'left' {
    if (delivery.row === null) this.outcomes.waitUntil(delivery, nowMs)
    else this.#heldNos.add(delivery.subscription.no)
    return 'left'
  }
}

/**
 * True while a receiver gets no further attempts. Where orders are kept apart by a key, one key that hangs says
 * nothing of the others. Where a limit keeps requests few, slow ones go on until one times out or many are out.
 */
export function isPausedHere(
  { invocation, deps }: { invocation: Invocation; deps: WorkDeps },
  { no, settings }: Subscription,
  nowMs: number,
): boolean {
  if (settings.ordered && settings.orderingKey !== null) return false
  if (invocation.pausedReceivers.has(no)) return true
  return hasRequestLimit(settings) ? deps.inFlight.isBurden(no, nowMs) : deps.inFlight.isSlow(no, nowMs)
}
