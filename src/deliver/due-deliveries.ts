import { TaskGroup } from '../base/concurrency/task-group.ts'
import { untilCalm } from './attempt/calm.ts'
import { heldBytesOf } from './attempt/claimed-delivery.ts'
import type { Claim, DueTerms } from './claims.sql.ts'
import { claimDelivery, claimDue } from './claims.sql.ts'
import type { ConsumerDeps, ConsumerRun } from './consumer-deps.ts'
import { deliverClaim } from './deliver-claim.ts'
import { CLAIM_LEASE_MS, PAIRS_PER_CLAIM } from './first-attempts.ts'

/**
 * An invocation takes on no new work after this time: subscriptions whose hints came later have their turn. A first look
 * is short, and backlogs go on in a queue of their own: one retry of one tenant does not stand behind all of another.
 */
const WORK_BUDGET_MS = { first: 200, backlog: 1_500 } as const

type Phase = Pick<DueTerms, 'crashesMin' | 'crashesMax'> & { pairsMax: number }

/** Rows whose consumer crashed are taken in ever smaller groups, so that the one that kills is found and fails alone. */
const PHASES: readonly Phase[] = [
  { crashesMin: 0, crashesMax: 0, pairsMax: PAIRS_PER_CLAIM },
  { crashesMin: 1, crashesMax: 1, pairsMax: 20 },
  { crashesMin: 2, crashesMax: 1_000_000, pairsMax: 1 },
]

/** A run over hints of what is due: the first look at it, or at what an earlier one has left. */
export type DueRunTerms = ConsumerRun & { look: keyof typeof WORK_BUDGET_MS }

/** Delivers what is due for some subscriptions, a few rows of each at a time. Rejects when D1 or a queue fails. */
export async function deliverDue(
  deps: ConsumerDeps,
  subscriptionNos: readonly number[],
  run: DueRunTerms,
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
  const work = deliverClaim(deps, { claim, expiresAtMs, requestedByPerson: true }, run)
  tasks.start(
    work.then(() => undefined),
    () => heldBytesOf(claim.events),
  )
  await tasks.join()
}

/** One pass over due deliveries, and the hints that it owes at its end. */
class DueRun {
  readonly #deps: ConsumerDeps
  readonly #run: DueRunTerms
  readonly #untilMs: number
  readonly #nextDueMs = new Map<number, number>()
  /** Subscriptions that have become paced: their own queue serves them. */
  readonly #pacedNos = new Set<number>()
  /** Rows whose consumer crashed were left to a later phase. */
  #hasPoison = false

  constructor(deps: ConsumerDeps, run: DueRunTerms) {
    this.#deps = deps
    this.#run = run
    this.#untilMs = deps.now() + WORK_BUDGET_MS[run.look]
  }

  async deliver(subscriptionNos: readonly number[]): Promise<void> {
    const { hints } = this.#deps
    hints.dueTaken(subscriptionNos, this.#run.look)
    const left = await this.#deliverPhases(subscriptionNos)
    if (left.length > 0) await hints.backlogs(left)
    if (this.#pacedNos.size > 0) await hints.paced([...this.#pacedNos].map((no) => ({ no })))
    this.#run.report.done.fill(true)
    await hints.dueAt(this.#nextDueMs)
  }

  /** Answers the subscriptions that may have more due when the budget is spent. */
  async #deliverPhases(subscriptionNos: readonly number[]): Promise<number[]> {
    for (const phase of PHASES) {
      this.#hasPoison = false
      let open = subscriptionNos.filter((no) => this.#isOpen(no))
      while (open.length > 0) {
        if (this.#deps.now() > this.#untilMs) return open
        await untilCalm(this.#deps.work, 'other')
        open = (await this.#claimAndDeliver(open, phase)).filter((no) => this.#isOpen(no))
      }
      if (!this.#hasPoison) break
    }
    return []
  }

  #isOpen(no: number): boolean {
    const { work, now } = this.#deps
    if (this.#pacedNos.has(no) || this.#run.invocation.pausedReceivers.has(no)) return false
    return !work.inFlight.isBusy(no, now())
  }

  /** Claims a share of what is due for each open subscription; answers those that may have more. */
  async #claimAndDeliver(open: readonly number[], phase: Phase): Promise<number[]> {
    const deps = this.#deps
    const nowMs = deps.now()
    const { pairsMax } = phase
    const terms = { id: deps.newId(), nowMs, expiresAtMs: nowMs + CLAIM_LEASE_MS, pairsMax }
    const perSubscription = Math.max(1, Math.floor(pairsMax / open.length))
    const found = await claimDue(deps.db, terms, { ...phase, perSubscription }, open)
    for (const no of found.pacedNos) this.#pacedNos.add(no)
    for (const [no, dueMs] of found.nextDueMs) this.#wakeAt(no, dueMs)
    this.#hasPoison ||= found.hasPoison
    const { claim } = found
    if (claim === null) return []
    const { expiresAtMs } = terms
    let heldNos: ReadonlySet<number> = NONE_HELD
    const work = deliverClaim(deps, { claim, expiresAtMs }, this.#run).then((done) => {
      heldNos = done?.heldNos ?? NONE_HELD
    })
    const tasks = new TaskGroup(deps.background)
    tasks.start(work, () => heldBytesOf(claim.events))
    // A claim that may kill its consumer is watched to its end, or it would take other work along.
    await (phase.crashesMin > 0 ? work : tasks.join())
    const more = new Set(unexhausted(claim, open, { perSubscription, pairsMax }))
    return open.filter((no) => more.has(no) || heldNos.has(no))
  }

  #wakeAt(no: number, dueMs: number): void {
    this.#nextDueMs.set(no, Math.min(dueMs, this.#nextDueMs.get(no) ?? Number.POSITIVE_INFINITY))
  }
}

/**
 * Subscriptions that may have more due than a claim took. One with less than its share has no more; of those behind the
 * last one of a full claim nothing is known.
 */
function unexhausted(
  { pairs }: Claim,
  open: readonly number[],
  { perSubscription, pairsMax }: { perSubscription: number; pairsMax: number },
): number[] {
  const taken = Map.groupBy(pairs, ({ subscriptionNo }) => subscriptionNo)
  const lastNo = pairs.length >= pairsMax ? pairs.at(-1)?.subscriptionNo : undefined
  const unknownFrom = lastNo === undefined ? open.length : open.indexOf(lastNo)
  return open.filter((no, i) => i >= unknownFrom || (taken.get(no)?.length ?? 0) >= perSubscription)
}

const NONE_HELD: ReadonlySet<number> = new Set()
