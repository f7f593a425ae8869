import { TaskGroup } from '../base/concurrency/task-group.ts'
import { describeError } from '../base/log.ts'
import type { ConsumeReport } from '../hints/consume-batch.ts'
import { wakesAfter } from '../hints/wake.ts'
import { heldBytesOf } from './attempt/claimed-delivery.ts'
import type { Invocation } from './claim-run.ts'
import type { Claim, DueTerms } from './claims.sql.ts'
import { claimDelivery, claimDue } from './claims.sql.ts'
import type { ConsumerDeps } from './consumer-deps.ts'
import { deliverClaim } from './deliver-claim.ts'
import { CLAIM_LEASE_MS, PAIRS_PER_CLAIM } from './first-attempts.ts'

/** An invocation takes on no new work after this time: subscriptions whose hints came later have their turn. */
const WORK_BUDGET_MS = 1_500

/** Rows whose consumer crashed are taken in ever smaller groups, so that the one that kills is found and fails alone. */
const PHASES: readonly Phase[] = [
  { crashesMin: 0, crashesMax: 0, pairsMax: PAIRS_PER_CLAIM },
  { crashesMin: 1, crashesMax: 1, pairsMax: 20 },
  { crashesMin: 2, crashesMax: 1_000_000, pairsMax: 1 },
]
type Phase = Pick<DueTerms, 'crashesMin' | 'crashesMax'> & { pairsMax: number }

/** One run over wake-ups. */
export type DueRun = { invocation: Invocation; report: ConsumeReport }

/** Works through what is due for some subscriptions, a few rows of each at a time. Rejects when D1 or a queue fails. */
export async function deliverDue(
  deps: ConsumerDeps,
  subscriptionNos: readonly number[],
  run: DueRun,
): Promise<void> {
  deps.hints.dueTaken(subscriptionNos)
  const state: DueState = { nextDueMs: new Map(), pacedNos: new Set(), hasPoison: false }
  const untilMs = deps.now() + WORK_BUDGET_MS
  let open = subscriptionNos
  for (const phase of PHASES) {
    // Those without poison have been served: the phases after the first are for the others.
    if (phase.crashesMin > 0) open = state.hasPoison ? subscriptionNos : []
    while (open.length > 0 && deps.now() <= untilMs) {
      open = await claimAndDeliver(
        deps,
        open.filter((no) => isOpen(deps, no, run, state)),
        phase,
        run,
        state,
      )
    }
    if (open.length > 0) break
  }
  if (open.length > 0) await deps.hints.dueNow(open)
  if (state.pacedNos.size > 0) await deps.hints.paced([...state.pacedNos].map((no) => ({ no })))
  run.report.done.fill(true)
  await deps.hints.dueAt(state.nextDueMs)
}

/** Findings of a run: when subscriptions have more to do, which are for the pacers, and whether any has poison. */
type DueState = { nextDueMs: Map<number, number>; pacedNos: Set<number>; hasPoison: boolean }

function isOpen(
  { work, now }: ConsumerDeps,
  no: number,
  { invocation }: DueRun,
  { pacedNos }: DueState,
): boolean {
  return !pacedNos.has(no) && !invocation.cutShort.has(no) && !work.inFlight.isSlow(no, now())
}

/** Makes one delivery that a person asked for, past whatever holds its subscription. */
export async function deliverRequested(
  deps: ConsumerDeps,
  pair: { subscriptionNo: number; seq: number },
  { invocation, report }: DueRun,
): Promise<void> {
  const nowMs = deps.now()
  const expiresAtMs = nowMs + CLAIM_LEASE_MS
  const terms = { id: deps.newId(), nowMs, expiresAtMs, pairsMax: 1 }
  const claim = await claimDelivery(deps.db, terms, pair)
  if (claim === null) return
  const tasks = new TaskGroup(deps.background)
  tasks.start(deliverAndWake(deps, { claim, expiresAtMs, forced: true }, invocation, report), () =>
    heldBytesOf(claim.events),
  )
  await tasks.join()
}

/** Works a claim and wakes consumers for what is due next; its receivers may take longer than its invocation waits. */
async function deliverAndWake(
  deps: ConsumerDeps,
  { claim, expiresAtMs, forced }: { claim: Claim; expiresAtMs: number; forced: boolean },
  invocation: Invocation,
  report: ConsumeReport,
): Promise<void> {
  const startedAtMs = deps.now()
  report.claims++
  try {
    const work = await deliverClaim(deps.work, claim, expiresAtMs, invocation, { forced })
    report.attempts += work.attempts
    report.delivered += work.delivered
    const nowMs = deps.now()
    const dueMs = wakesAfter(claim, work.dueMs, nowMs - startedAtMs, nowMs)
    // The answer that a person asked for may have closed the breaker: then what rested is due.
    if (forced && work.delivered > 0) for (const { no } of claim.subscriptions) dueMs.set(no, nowMs)
    await deps.hints.dueAt(dueMs)
  } catch (error) {
    // What could not be recorded is still claimed and what could not be woken is due: the sweeper finds both.
    report.unsettled++
    report.unsettledError ??= describeError(error)
  }
}

/** Claims a share of what is due for each open subscription; answers those that had more than their share. */
async function claimAndDeliver(
  deps: ConsumerDeps,
  open: readonly number[],
  phase: Phase,
  { invocation, report }: DueRun,
  state: DueState,
): Promise<number[]> {
  if (open.length === 0) return []
  const nowMs = deps.now()
  const expiresAtMs = nowMs + CLAIM_LEASE_MS
  const perSubscription = Math.max(1, Math.floor(phase.pairsMax / open.length))
  const lease = { id: deps.newId(), nowMs, expiresAtMs, pairsMax: phase.pairsMax }
  const { claim, ...found } = await claimDue(deps.db, lease, { ...phase, perSubscription }, open)
  for (const [no, dueMs] of found.nextDueMs) noteEarliest(state.nextDueMs, no, dueMs)
  for (const no of found.pacedNos) state.pacedNos.add(no)
  state.hasPoison ||= found.hasPoison
  if (claim === null) return []
  const work = deliverAndWake(deps, { claim, expiresAtMs, forced: false }, invocation, report)
  const tasks = new TaskGroup(deps.background)
  tasks.start(work, () => heldBytesOf(claim.events))
  // What may cost its consumer its life is watched to its end, or it would take others along.
  await (phase.crashesMin > 0 ? work : tasks.join())
  return unexhausted(claim, open, perSubscription)
}

/**
 * Subscriptions that may have more due than a claim took. One with less than its share has no more; none is known of
 * those behind the last one where the claim was full.
 */
function unexhausted({ pairs }: Claim, open: readonly number[], perSubscription: number): number[] {
  const taken = Map.groupBy(pairs, ({ subscriptionNo }) => subscriptionNo)
  const last = pairs.length >= PAIRS_PER_CLAIM ? open.indexOf(pairs.at(-1)?.subscriptionNo ?? -1) : -1
  return open.filter((no, i) => (taken.get(no)?.length ?? 0) >= perSubscription || (last >= 0 && i >= last))
}

function noteEarliest(nextDueMs: Map<number, number>, no: number, dueMs: number): void {
  nextDueMs.set(no, Math.min(dueMs, nextDueMs.get(no) ?? Number.POSITIVE_INFINITY))
}
