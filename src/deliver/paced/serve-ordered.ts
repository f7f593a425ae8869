import { joinAll } from '../../base/concurrency/wait.ts'
import { seqFloor } from '../../base/ids/seq.ts'
import type { Subscription } from '../../subscription/subscription.ts'
import { heldBytesOf } from '../attempt/claimed-delivery.ts'
import { isPausedHere } from '../claim-run.ts'
import { CLAIM_LEASE_MS, PAIRS_PER_CLAIM } from '../first-attempts.ts'
import type { BatchTerms } from './batches.sql.ts'
import { deliverPacedClaim } from './deliver-paced-claim.ts'
import { HANGING_RECHECK_MS, type PacedDeps, type PacedWork } from './deps.ts'
import { GrantGate } from './grant/grant-gate.ts'
import { isolatePoison } from './isolate-poison.ts'
import {
  claimPaced,
  type PacedClaim,
  type PacedTerms,
  readWaitingState,
  removeEndedPacing,
} from './paced-claims.sql.ts'

/** Batches in one claim; they are left from settings that have been dropped. */
const BATCHES_PER_CLAIM = 10
/** A claim is waited for so long, then the next one is made: a key that hangs holds up no others. */
const CLAIM_WAIT_MS = 500

type OrderedClaim = PacedClaim & { expiresAtMs: number }

/**
 * Serves one subscription that only keeps an order, or that has dropped its pacing and has deliveries
 * left from it. D1 alone keeps the order, so no pacer is called. Rejects when D1 fails.
 */
export async function serveOrdered(deps: PacedDeps, no: number, work: PacedWork): Promise<void> {
  await new OrderedServing(deps, no, work).serve()
}

class OrderedServing {
  readonly #deps: PacedDeps
  readonly #no: number
  readonly #work: PacedWork
  /** Claims that are delivered beside the next one; one that fails stays, so that `serve` rejects. */
  readonly #underWay = new Set<Promise<void>>()

  constructor(deps: PacedDeps, no: number, work: PacedWork) {
    this.#deps = deps
    this.#no = no
    this.#work = work
  }

  /** Claims and delivers until nothing may go. */
  async serve(): Promise<void> {
    try {
      while ((await this.#serveOnce()) === 'again') {
        if (this.#deps.now() <= this.#work.untilMs) continue
        return await this.#deps.hints.paced([{ no: this.#no, ordered: true }])
      }
    } finally {
      await this.#work.turn.whileIdle(joinAll(this.#underWay))
    }
  }

  async #serveOnce(): Promise<'again' | 'done'> {
    const claimed = await this.#claim()
    if (claimed === null && this.#underWay.size === 0) return await this.#conclude()
    if (claimed === null) {
      await this.#waitForKeys()
      return 'again'
    }
    await this.#start(claimed)
    const [subscription] = claimed.claim.subscriptions
    if (subscription === undefined || !(await this.#isPausedHere(subscription))) return 'again'
    return 'done'
  }

  async #claim(): Promise<OrderedClaim | null> {
    const nowMs = this.#deps.now()
    const expiresAtMs = nowMs + CLAIM_LEASE_MS
    const terms: PacedTerms = {
      id: this.#deps.newId(),
      nowMs,
      expiresAtMs,
      subscriptionNo: this.#no,
      level: 'ordered',
      pairsMax: PAIRS_PER_CLAIM,
      batchesMax: BATCHES_PER_CLAIM,
      scheduledUntilMs: nowMs,
    }
    const batching: BatchTerms = { mode: 'flushed', cause: 'change', noFloor: seqFloor(nowMs) }
    const { claimed } = await claimPaced(this.#deps.db, terms, batching)
    return claimed === null ? null : { ...claimed, expiresAtMs }
  }

  /** Keys become free before a claim has ended; other turns may serve meanwhile. */
  async #waitForKeys(): Promise<void> {
    const soon = Promise.race([...this.#underWay, this.#deps.sleep(CLAIM_WAIT_MS)])
    await this.#work.turn.whileIdle(soon)
  }

  /** Delivers a claim; where each key has an order of its own, waits for it only for a while. */
  async #start(claimed: OrderedClaim): Promise<void> {
    const { holds } = this.#work
    const bytes = heldBytesOf(claimed.claim.events)
    holds.bytes += bytes
    const delivering = this.#deliver(claimed)
      .finally(() => {
        holds.bytes -= bytes
      })
      .then(() => void this.#underWay.delete(delivering))
    this.#underWay.add(delivering)
    const isKeyed = claimed.claim.subscriptions.some(({ settings }) => settings.orderingKey !== null)
    await Promise.race(isKeyed ? [delivering, this.#deps.sleep(CLAIM_WAIT_MS)] : [delivering])
  }

  async #deliver({ expiresAtMs, ...claimed }: OrderedClaim): Promise<void> {
    const { invocation, report } = this.#work
    const { now, sleep, db, work, hints } = this.#deps
    report.claims++
    const gate = new GrantGate({ requests: PAIRS_PER_CLAIM, firstAtMs: now(), everyMs: 0 }, now, sleep)
    const isolated = await isolatePoison(db, claimed)
    const done = await deliverPacedClaim(work, isolated, expiresAtMs, invocation, gate)
    report.attempts += done.attempts
    report.delivered += done.delivered
    await hints.dueAt(done.dueMs)
  }

  /** Returns true, and sends a hint for later, when the receiver gets no attempts for now. */
  async #isPausedHere(subscription: Subscription): Promise<boolean> {
    const nowMs = this.#deps.now()
    const run = { invocation: this.#work.invocation, deps: this.#deps.work }
    if (!isPausedHere(run, subscription, nowMs)) return false
    await this.#deps.hints.dueAt(new Map([[this.#no, nowMs + HANGING_RECHECK_MS]]))
    return true
  }

  /** Nothing may go: frees keys of ended batches, or else sends the hints for later. */
  async #conclude(): Promise<'again' | 'done'> {
    const { db, hints, now } = this.#deps
    const at = { subscriptionNo: this.#no, nowMs: now() }
    if (await removeEndedPacing(db, at)) return 'again'
    const { waiting, heldUntilMs, nextDueMs } = await readWaitingState(db, at)
    const laterMs = heldUntilMs ?? nextDueMs
    if (laterMs !== null) await hints.dueAt(new Map([[this.#no, laterMs]]))
    // The subscription has become limited meanwhile, so its pacer has to be called.
    if (waiting?.level === 'limited') await hints.paced([{ no: this.#no }])
    return 'done'
  }
}
