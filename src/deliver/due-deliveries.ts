import { TaskGroup } from '../base/concurrency/task-group.ts'
import { describeError } from '../base/log.ts'
import { wakesAfter } from '../hints/wake.ts'
import { heldBytesOf } from './attempt/claimed-delivery.ts'
import { deliverClaim } from './claim-run.ts'
import type { Claim, DueTerms } from './claims.sql.ts'
import { claimDelivery, claimDue } from './claims.sql.ts'
import type { ConsumerDeps, ConsumerRun } from './consumer-deps.ts'
import { CLAIM_LEASE_MS, PAIRS_PER_CLAIM } from './first-attempts.ts'

const WORK_BUDGET_MS = 15_000

type Phase = Pick<DueTerms, 'crashesMin' | 'crashesMax'> & { pairsMax: number }

/** Rows whose consumer died are taken in ever smaller groups, so that the one that kills is found and fails alone. */
const PHASES: readonly Phase[] = [
  { crashesMin: 0, crashesMax: 0, pairsMax: PAIRS_PER_CLAIM },
  { crashesMin: 1, crashesMax: 1, pairsMax: 20 },
  { crashesMin: 2, crashesMax: 1_000_000, pairsMax: 1 },
]

/** Delivers what is due for some subscriptions, a few rows of each at a time. Rejects when D1 or a queue fails. */
export async function deliverDue(
  deps: ConsumerDeps,
  subscriptionNos: readonly number[],
  run: ConsumerRun,
): Promise<void> {
  await new DueRun(deps, run).deliver(subscriptionNos)
}

/** Makes one delivery that a person requested, past every hold of its subscription. */
export async function deliverRequested(
  deps: ConsumerDeps,
  pair: { subscriptionNo: number; seq: number },
  run: ConsumerRun,
): Promise<void> {
  const nowMs = deps.now()
  const expiresAtMs = nowMs + CLAIM_LEASE_MS
  const terms = { id: deps.newId(), nowMs, expiresAtMs, pairsMax: 1 }
  const claim = await claimDelivery(deps.db, terms, pair)
  if (claim === null) return
  const tasks = new TaskGroup(deps.background)
  const work = deliverAndWake(deps, { claim, expiresAtMs, requestedByPerson: true }, run)
  tasks.start(work, () => heldBytesOf(claim.events))
  await tasks.join()
}

/** One pass over due deliveries, and the hints that it owes at its end. */
class DueRun {
  readonly #deps: ConsumerDeps
  readonly #run: ConsumerRun
  readonly #untilMs: number
  readonly #nextDueMs = new Map<number, number>()
  /** Subscriptions that have become paced: their own queue serves them. */
  readonly #pacedNos = new Set<number>()

  constructor(deps: ConsumerDeps, run: ConsumerRun) {
    this.#deps = deps
    this.#run = run
    this.#untilMs = deps.now() + WORK_BUDGET_MS
  }

  async deliver(subscriptionNos: readonly number[]): Promise<void> {
    const { now, hints } = this.#deps
    let phase = 0
    for (;;) {
      const terms = PHASES[phase]
      const open = subscriptionNos.filter((no) => this.#isOpen(no))
      if (terms === undefined || open.length === 0) break
      if (now() > this.#untilMs) {
        await hints.dueNow(open)
        break
      }
      const { claimed, hasPoison } = await this.#claimAndDeliver(open, terms)
      if (claimed) continue
      if (!hasPoison) break
      phase++
    }
    if (this.#pacedNos.size > 0) await hints.paced([...this.#pacedNos].map((no) => ({ no })))
    this.#run.report.done.fill(true)
    await hints.dueAt(this.#nextDueMs)
  }

  #isOpen(no: number): boolean {
    const { work, now } = this.#deps
    if (this.#pacedNos.has(no) || this.#run.invocation.pausedReceivers.has(no)) return false
    return !work.inFlight.isSlow(no, now())
  }

  async #claimAndDeliver(open: readonly number[], phase: Phase) {
    const deps = this.#deps
    const nowMs = deps.now()
    const { pairsMax } = phase
    const terms = { id: deps.newId(), nowMs, expiresAtMs: nowMs + CLAIM_LEASE_MS, pairsMax }
    const perSubscription = Math.max(1, Math.floor(pairsMax / open.length))
    const found = await claimDue(deps.db, terms, { ...phase, perSubscription }, open)
    for (const no of found.pacedNos) this.#pacedNos.add(no)
    for (const [no, dueMs] of found.nextDueMs) this.#wakeAt(no, dueMs)
    const { claim, hasPoison } = found
    if (claim === null) return { claimed: false, hasPoison }
    const { expiresAtMs } = terms
    const work = deliverAndWake(deps, { claim, expiresAtMs, requestedByPerson: false }, this.#run)
    const tasks = new TaskGroup(deps.background)
    tasks.start(work, () => heldBytesOf(claim.events))
    // A claim that may kill its consumer is watched to its end, or it would take other work along.
    await (phase.crashesMin > 0 ? work : tasks.join())
    return { claimed: true, hasPoison }
  }

  #wakeAt(no: number, dueMs: number): void {
    this.#nextDueMs.set(no, Math.min(dueMs, this.#nextDueMs.get(no) ?? Number.POSITIVE_INFINITY))
  }
}

type DueClaim = { claim: Claim; expiresAtMs: number; requestedByPerson: boolean }

/** Works a claim and wakes consumers for what is due next. Its receivers may take longer than its invocation waits. */
async function deliverAndWake(
  deps: ConsumerDeps,
  { claim, expiresAtMs, requestedByPerson }: DueClaim,
  { invocation, report }: ConsumerRun,
): Promise<void> {
  const startedAtMs = deps.now()
  report.claims++
  try {
    const done = await deliverClaim(deps.work, claim, { expiresAtMs, invocation, requestedByPerson })
    report.attempts += done.attempts
    report.delivered += done.delivered
    const nowMs = deps.now()
    const dueMs = wakesAfter(claim, done.dueMs, nowMs - startedAtMs, nowMs)
    // The answer may have closed the breaker: then what was held by it is due.
    if (requestedByPerson && done.delivered > 0) {
      for (const { no } of claim.subscriptions) dueMs.set(no, nowMs)
    }
    await deps.hints.dueAt(dueMs)
  } catch (error) {
    // An outcome that could not be recorded is still claimed, a wake-up that was lost is due: the sweeper finds both.
    report.unsettled++
    report.unsettledError ??= describeError(error)
  }
}
