import { joinAll } from '../../../base/concurrency/wait.ts'
import { seqFloor } from '../../../base/ids/seq.ts'
import { REQUESTS_MAX } from '../../../pacing/pacer/demand.ts'
import type { Subscription } from '../../../subscription/subscription.ts'
import { heldBytesOf } from '../../attempt/claimed-delivery.ts'
import { CLAIM_LEASE_MS, PAIRS_PER_CLAIM } from '../../first-attempts.ts'
import type { BatchCause, BatchMode, Waiting } from '../batches.sql.ts'
import { deliverPacedClaim } from '../deliver-paced-claim.ts'
import type { PacedDeps, Serving } from '../deps.ts'
import { isolatePoison } from '../isolate-poison.ts'
import { claimPaced, type PacedClaim, type PacedTerms } from '../paced-claims.sql.ts'
import type { Grant } from '../pacer-calls.ts'
import type { GrantGate } from './grant-gate.ts'

/** A claim under a grant. */
export type LimitedClaim = PacedClaim & {
  subscription: Subscription
  /** Cut down to deliveries that may be tried without the others. */
  isIsolated: boolean
  /** The deliveries that were left when it was made. */
  waiting: Waiting | null
}

export type Claiming =
  | { kind: 'claimed'; claimed: LimitedClaim }
  | { kind: 'nothing'; waiting: Waiting | null }

/** The deliveries of a grant's claims, when all have ended. */
export type Worked = {
  /** As it was when the first claim was made. */
  subscription: Subscription
  last: LimitedClaim
  hasSplit: boolean
  /** Some deliveries were not started. */
  hasLeft: boolean
}

export type GrantDelivery = {
  /** Resolves when nothing more will start under the grant; never rejects. */
  started: Promise<void>
  /** Resolves when all of it has ended. */
  ended: Promise<Worked>
}

const MODES: Record<Grant['flush'], BatchMode> = { none: 'flushed', full: 'full', all: 'all' }

/** The claims under one grant. All expire with the first: the pacer forgets the grant then. */
export class GrantClaims {
  readonly #deps: PacedDeps
  readonly #serving: Serving
  readonly #grant: Grant
  readonly #gate: GrantGate
  readonly #expiresAtMs: number
  readonly #underWay: Promise<void>[] = []

  constructor(deps: PacedDeps, serving: Serving, { grant, gate }: { grant: Grant; gate: GrantGate }) {
    this.#deps = deps
    this.#serving = serving
    this.#grant = grant
    this.#gate = gate
    this.#expiresAtMs = deps.now() + CLAIM_LEASE_MS
  }

  /** Claims the deliveries for which the grant was given. */
  async claimFirst(): Promise<Claiming> {
    return await this.#claim(MODES[this.#grant.flush], this.#grant.cause ?? 'count')
  }

  /** Delivers the first claim, and the next ones for as long as the grant lets requests start. */
  deliver(first: LimitedClaim): GrantDelivery {
    const worked = { subscription: first.subscription, last: first, hasSplit: false, hasLeft: false }
    const claiming = this.#deliverAll(worked)
    const started = claiming.then(() => this.#gate.drained()).catch(() => undefined)
    return { started, ended: this.#endOf(claiming, worked) }
  }

  /** Waits for the claims already started, also when the next claim fails. */
  async #endOf(claiming: Promise<void>, worked: Worked): Promise<Worked> {
    try {
      await claiming
    } finally {
      await joinAll(this.#underWay)
    }
    return worked
  }

  /**
   * Isolated claims follow one another under the grant, since one request of each grant would be a
   * fraction of the limit. Where only permits are limited, the next claim is made once one is free.
   */
  async #deliverAll(worked: Worked): Promise<void> {
    const mayOverlap = this.#grant.reuse && !worked.subscription.settings.ordered
    for (let next: LimitedClaim | null = worked.last; next !== null; next = await this.#claimMore()) {
      worked.last = next
      const delivering = this.#deliverOne(next, worked)
      this.#underWay.push(delivering)
      if (next.isIsolated) await delivering
      else if (mayOverlap) await Promise.race([delivering, this.#gate.drained()])
      else return
      if (!this.#mayClaimMore()) return
    }
  }

  #mayClaimMore(): boolean {
    const { no, work } = this.#serving
    const isOver = this.#deps.now() > work.untilMs
    return this.#gate.left > 0 && !isOver && !work.invocation.pausedReceivers.has(no)
  }

  async #deliverOne(claimed: LimitedClaim, worked: Worked): Promise<void> {
    const { invocation, report, holds } = this.#serving.work
    const bytes = heldBytesOf(claimed.claim.events)
    holds.bytes += bytes
    report.claims++
    try {
      const done = await deliverPacedClaim(
        this.#deps.work,
        claimed,
        this.#expiresAtMs,
        invocation,
        this.#gate,
      )
      report.attempts += done.attempts
      report.delivered += done.delivered
      worked.hasSplit ||= done.hasSplit
      worked.hasLeft ||= done.hasLeft
      await this.#deps.hints.dueAt(done.dueMs)
    } finally {
      holds.bytes -= bytes
    }
  }

  /** Deliveries that have begun to wait since the grant wait for full batches. */
  async #claimMore(): Promise<LimitedClaim | null> {
    const next = await this.#claim(this.#grant.flush === 'none' ? 'flushed' : 'full', 'count')
    return next.kind === 'claimed' ? next.claimed : null
  }

  async #claim(mode: BatchMode, cause: BatchCause): Promise<Claiming> {
    const nowMs = this.#deps.now()
    const terms: PacedTerms = {
      id: this.#deps.newId(),
      nowMs,
      expiresAtMs: this.#expiresAtMs,
      subscriptionNo: this.#serving.no,
      level: 'limited',
      batchesMax: Math.min(this.#gate.left, REQUESTS_MAX),
      pairsMax: Math.min(this.#gate.left, PAIRS_PER_CLAIM),
      scheduledUntilMs: this.#lastTimeMs() ?? nowMs,
    }
    const batching = { mode, cause, noFloor: seqFloor(nowMs) }
    const { claimed, waiting } = await claimPaced(this.#deps.db, terms, batching)
    if (claimed === null) return { kind: 'nothing', waiting }
    const kept = await isolatePoison(this.#deps.db, claimed)
    const [subscription] = kept.claim.subscriptions
    if (subscription === undefined) throw new Error('a claim without its subscription')
    return { kind: 'claimed', claimed: { ...kept, subscription, isIsolated: kept !== claimed, waiting } }
  }

  /** The last time of a grant whose requests start apart; null for one that has no times. */
  #lastTimeMs(): number | null {
    const { askedAtMs, startInMs, everyMs, requests } = this.#grant
    return everyMs === 0 ? null : askedAtMs + startInMs + (requests - 1) * everyMs
  }
}
