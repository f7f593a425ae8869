import { BACKGROUND_AFTER_MS } from '../../../base/concurrency/task-group.ts'
import { LEAD_MS } from '../../../pacing/pacer/rate.ts'
import { hasRequestLimit, pacerTermsOf } from '../../../pacing/settings.ts'
import type { Subscription } from '../../../subscription/subscription.ts'
import { isPausedHere } from '../../claim-run.ts'
import type { Waiting } from '../batches.sql.ts'
import { type FinishedGrant, HANGING_RECHECK_MS, type PacedDeps, type Serving } from '../deps.ts'
import { removeEndedPacing } from '../paced-claims.sql.ts'
import {
  callPacer,
  countedOf,
  EMPTY_REPORT,
  type Grant,
  NOTHING_WAITING,
  type PacerReport,
  type Reply,
  readWaiting,
} from '../pacer-calls.ts'
import { GrantClaims, type LimitedClaim, type Worked } from './grant-claims.ts'
import { GrantGate } from './grant-gate.ts'

/** Permits are used again for so long: a grant's last requests have to end before it does. */
const REUSE_MS = 10_000

/** A receiver hangs when it frees no permit for so long: deliveries that wait for one are given up. */
const STALL_MS = 1_000

/** Answers that come later than this after the last start are waited for beside the next grant. */
const TAIL_MS = 250

/** Grants of one turn that wait for their last answers. */
const TAILS_MAX = 8

/** `next`: the pacer's answer, to go on with. `done`: there is nothing more to do in this turn. */
export type Used =
  | { kind: 'next'; reply: Reply }
  | { kind: 'done' }
  | { kind: 'not-limited'; reply: Reply | null }

/** The next grant may be asked for beside this one, whose last answers are still to come. */
type Tail = {
  kind: 'tail'
  subscription: Subscription
  /** The deliveries that the claim left, where its last requests are still to start; null: all have. */
  starting: Waiting | null
}

type Next = { kind: 'time' } & Pick<Tail, 'starting'>

const DONE: Used = { kind: 'done' }

/** The use of one grant in three phases: claim, start, finish. */
export class GrantUse {
  readonly #deps: PacedDeps
  readonly #serving: Serving
  readonly #grant: Grant
  readonly #gate: GrantGate

  constructor(deps: PacedDeps, serving: Serving, grant: Grant) {
    this.#deps = deps
    this.#serving = serving
    this.#grant = grant
    this.#gate = gateOf(deps, grant)
  }

  /** Uses the grant and asks for the next. To be called once; rejects when D1 or the pacer fails. */
  async use(): Promise<Used> {
    const used = await this.#orGiveBack(() => this.#claim())
    return used.kind === 'tail' ? await this.#askBesideTail(used) : used
  }

  /** Gives the grant back when the work fails: its permits would be missing until it expires. */
  async #orGiveBack<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      const release = this.#release({ unused: 0, waiting: null, wantsMore: false })
      // If this fails as well the grant expires; the first failure is the one to report.
      await release.catch(() => undefined)
      throw error
    }
  }

  async #claim(): Promise<Used | Tail> {
    const claims = new GrantClaims(this.#deps, this.#serving, { grant: this.#grant, gate: this.#gate })
    const first = await claims.claimFirst()
    switch (first.kind) {
      case 'nothing':
        return await this.#withdraw(first.waiting)
      case 'claimed':
        return await this.#start(claims, first.claimed)
    }
  }

  /** Starts the claims; does not wait for the last answers where another grant may be used. */
  async #start(claims: GrantClaims, first: LimitedClaim): Promise<Used | Tail> {
    const { subscription } = first
    this.#deps.turns.learn(this.#serving.no, { isLimited: hasRequestLimit(subscription.settings) })
    const { rateLimit } = subscription.settings
    if (rateLimit !== null) this.#gate.keepTo(this.#deps.lateStarts.window(this.#serving.no, rateLimit))
    const { started, ended } = claims.deliver(first)
    const tail = this.#mayLeaveTail(first) ? [this.#timeForNext(first, started)] : []
    const next = await Promise.race([ended.then((worked) => ({ kind: 'ended' as const, worked })), ...tail])
    if (next.kind === 'ended') return await this.#conclude(next.worked)
    this.#leaveTail(ended)
    return { kind: 'tail', subscription, starting: next.starting }
  }

  /** Grants that start all at once gain nothing from another one beside them. */
  #mayLeaveTail({ subscription, isIsolated }: LimitedClaim): boolean {
    const isSpread = this.#grant.everyMs > 0 || this.#grant.reuse
    const hasRoom = this.#serving.tails.size < TAILS_MAX
    return isSpread && !subscription.settings.ordered && !isIsolated && hasRoom
  }

  /** Resolves when it is time to ask for the next grant beside this one. */
  async #timeForNext({ waiting }: LimitedClaim, started: Promise<void>): Promise<Next> {
    const { askedAtMs, startInMs, everyMs, requests, places } = this.#grant
    if (everyMs > 0 && places === null && waiting?.isDue) {
      // What the next grant is for is claimed by the time at which it begins.
      const nextAtMs = askedAtMs + startInMs + requests * everyMs
      await this.#deps.sleep(Math.max(0, nextAtMs - LEAD_MS - this.#deps.now()) + 1)
      return { kind: 'time', starting: waiting }
    }
    await started
    await this.#deps.sleep(TAIL_MS)
    return { kind: 'time', starting: null }
  }

  #leaveTail(ended: Promise<Worked>): void {
    const { tails } = this.#serving
    const finishing = this.#orGiveBack(async () => await this.#finishTail(await ended))
    const tail = finishing.then(() => void tails.delete(tail))
    // A tail that fails stays in the set, so that the turn rejects when it joins its tails.
    tail.catch(() => undefined)
    tails.add(tail)
  }

  /** A grant without permits that went as usual is reported with the next call. */
  async #finishTail(worked: Worked): Promise<void> {
    const isUsual =
      !worked.hasLeft && !worked.hasSplit && !this.#isPausedHere(worked.subscription, this.#deps.now())
    if (this.#grant.places === null && isUsual) this.#serving.ended.push(this.#finished())
    else await this.#finish(worked, { wantsMore: false })
  }

  #finished(): FinishedGrant {
    return { leaseId: this.#grant.leaseId, unused: this.#grant.requests - this.#gate.used }
  }

  /** Ends the grant; a turn that has lasted long enough leaves the next one to other consumers. */
  async #conclude(worked: Worked): Promise<Used> {
    const wantsMore = this.#deps.now() <= this.#serving.work.untilMs
    const reply = await this.#finish(worked, { wantsMore })
    if (reply === null) return DONE
    if (wantsMore) return { kind: 'next', reply }
    await this.#deps.hints.paced([{ no: this.#serving.no }])
    return DONE
  }

  /** Reports the grant as used, and the deliveries that are left; null when the receiver hangs. */
  async #finish(worked: Worked, { wantsMore }: { wantsMore: boolean }): Promise<Reply | null> {
    const { no, work } = this.#serving
    const nowMs = this.#deps.now()
    const finished = this.#finished()
    if (this.#isPausedHere(worked.subscription, nowMs)) {
      await this.#release({ unused: finished.unused, waiting: NOTHING_WAITING, wantsMore: false })
      await this.#recheckLater(nowMs)
      return null
    }
    const isStale = this.#isStale(worked, nowMs)
    const waiting = isStale ? (await readWaiting(this.#deps, no)).waiting : countedOf(worked.last.waiting)
    return await callPacer(this.#deps, no, {
      ...EMPTY_REPORT,
      terms: pacerTermsOf(worked.subscription),
      waiting,
      finished,
      permitsMax: work.invocation.slots.count,
      wantsMore,
    })
  }

  /**
   * The count that came with the last claim is out of date once a key is free, a batch was split, a
   * delivery was not started, a probe has passed, or much time has.
   */
  #isStale({ subscription, last, hasSplit, hasLeft }: Worked, nowMs: number): boolean {
    const isLate = nowMs - this.#grant.askedAtMs > BACKGROUND_AFTER_MS
    return subscription.settings.ordered || hasSplit || hasLeft || last.waiting === null || isLate
  }

  /** Asks for the next grant beside this one, which only waits for its last answers. */
  async #askBesideTail({ subscription, starting }: Tail): Promise<Used> {
    const { no, work } = this.#serving
    const nowMs = this.#deps.now()
    if (this.#isPausedHere(subscription, nowMs)) {
      await this.#recheckLater(nowMs)
      return DONE
    }
    const isOver = nowMs > work.untilMs
    // Without free connections a grant's times would pass; the pacer wakes a consumer that has some.
    const { slots } = work.invocation
    const hasRoom = starting === null ? slots.hasFree(subscription) : slots.isHalfFree(subscription)
    const wantsMore = !isOver && hasRoom
    const report: PacerReport = {
      ...EMPTY_REPORT,
      terms: pacerTermsOf(subscription),
      keepsPermits: this.#permitsInUse(),
      permitsMax: work.invocation.slots.count,
      wantsMore,
    }
    const waiting = starting === null ? (await readWaiting(this.#deps, no)).waiting : countedOf(starting)
    const finished = this.#serving.ended.shift() ?? null
    const reply = await callPacer(this.#deps, no, { ...report, waiting, finished })
    if (isOver) await this.#deps.hints.paced([{ no }])
    return wantsMore ? { kind: 'next', reply } : DONE
  }

  #permitsInUse(): PacerReport['keepsPermits'] {
    const { places, leaseId } = this.#grant
    return places === null ? null : { leaseId, permits: this.#gate.running }
  }

  /** Gives back a grant for which there was nothing to claim. */
  async #withdraw(waiting: Waiting | null): Promise<Used> {
    const { no } = this.#serving
    // A batch whose members have all ended yields nothing, and would stay in the way of the next one.
    const isFreed =
      waiting !== null &&
      (await removeEndedPacing(this.#deps.db, { subscriptionNo: no, nowMs: this.#deps.now() }))
    const isStale = isFreed || waiting === null
    const left = isStale ? (await readWaiting(this.#deps, no)).waiting : countedOf(waiting)
    const unused = this.#grant.requests
    const answer = await this.#release({ unused, waiting: left, wantsMore: isFreed })
    const reply = isFreed ? answer : null
    if (waiting !== null && waiting.level !== 'limited') return { kind: 'not-limited', reply }
    return reply === null ? DONE : { kind: 'next', reply }
  }

  /** Ends the grant without reporting terms, which asks for no other one unless `wantsMore`. */
  async #release({
    unused,
    waiting,
    wantsMore,
  }: { unused: number } & Pick<PacerReport, 'waiting' | 'wantsMore'>): Promise<Reply> {
    const finished = { leaseId: this.#grant.leaseId, unused }
    return await callPacer(this.#deps, this.#serving.no, { ...EMPTY_REPORT, finished, waiting, wantsMore })
  }

  #isPausedHere(subscription: Subscription, nowMs: number): boolean {
    const { invocation } = this.#serving.work
    return isPausedHere({ invocation, deps: this.#deps.work }, subscription, nowMs)
  }

  async #recheckLater(nowMs: number): Promise<void> {
    await this.#deps.hints.dueAt(new Map([[this.#serving.no, nowMs + HANGING_RECHECK_MS]]))
  }
}

function gateOf(deps: PacedDeps, grant: Grant): GrantGate {
  const { requests, places: permits, askedAtMs, startInMs, everyMs, reuse } = grant
  const times = { requests, permits, firstAtMs: askedAtMs + startInMs, everyMs }
  const bounds = reuse ? { untilMs: askedAtMs + REUSE_MS, stallMs: STALL_MS } : {}
  return new GrantGate({ ...times, ...bounds }, deps.now, deps.sleep)
}
