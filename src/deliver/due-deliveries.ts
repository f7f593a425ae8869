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

const WORK_BUDGET_MS = 15_000

/** Rows whose consumer died are taken in ever smaller groups, so that the one that kills is found and fails alone. */
const PHASES: readonly (Pick<DueTerms, 'crashesMin' | 'crashesMax'> & { pairsMax: number })[] = [
  { crashesMin: 0, crashesMax: 0, pairsMax: PAIRS_PER_CLAIM },
  { crashesMin: 1, crashesMax: 1, pairsMax: 20 },
  { crashesMin: 2, crashesMax: 1_000_000, pairsMax: 1 },
]

/** Works through what is due for some subscriptions, a few rows of each at a time. Rejects when D1 or a queue fails. */
export async function deliverDue(
  deps: ConsumerDeps,
  subscriptionNos: readonly number[],
  invocation: Invocation,
  report: ConsumeReport,
): Promise<void> {
  const startedAtMs = deps.now()
  const nextDueMs = new Map<number, number>()
  const paced = new Set<number>()
  let phase = 0
  for (;;) {
    const terms = PHASES[phase]
    const open = subscriptionNos.filter(
      (no) => !paced.has(no) && !invocation.cutShort.has(no) && !deps.work.inFlight.isSlow(no, deps.now()),
    )
    if (terms === undefined || open.length === 0) break
    if (deps.now() - startedAtMs > WORK_BUDGET_MS) {
      await deps.hints.dueNow(open)
      break
    }
    const {
      claimed,
      hasPoison,
      pacedNos: found,
    } = await claimAndDeliver(deps, open, terms, invocation, report, nextDueMs)
    for (const no of found) paced.add(no)
    if (claimed) continue
    if (!hasPoison) break
    phase++
  }
  if (paced.size > 0) await deps.hints.paced([...paced].map((no) => ({ no })))
  report.done.fill(true)
  await deps.hints.dueAt(nextDueMs)
}

/** Makes one delivery that a person asked for, past whatever holds its subscription. */
export async function deliverRequested(
  deps: ConsumerDeps,
  pair: { subscriptionNo: number; seq: number },
  invocation: Invocation,
  report: ConsumeReport,
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

async function claimAndDeliver(
  deps: ConsumerDeps,
  open: readonly number[],
  phase: (typeof PHASES)[number],
  invocation: Invocation,
  report: ConsumeReport,
  nextDueMs: Map<number, number>,
): Promise<{ claimed: boolean; hasPoison: boolean; pacedNos: number[] }> {
  const nowMs = deps.now()
  const expiresAtMs = nowMs + CLAIM_LEASE_MS
  const perSubscription = Math.max(1, Math.floor(phase.pairsMax / open.length))
  const {
    claim,
    nextDueMs: later,
    hasPoison,
    pacedNos,
  } = await claimDue(
    deps.db,
    { id: deps.newId(), nowMs, expiresAtMs, pairsMax: phase.pairsMax },
    { ...phase, perSubscription },
    open,
  )
  for (const [no, dueMs] of later) noteEarliest(nextDueMs, no, dueMs)
  if (claim === null) return { claimed: false, hasPoison, pacedNos }
  const work = deliverAndWake(deps, { claim, expiresAtMs, forced: false }, invocation, report)
  const tasks = new TaskGroup(deps.background)
  tasks.start(work, () => heldBytesOf(claim.events))
  // What may cost its consumer its life is watched to its end, or it would take others along.
  await (phase.crashesMin > 0 ? work : tasks.join())
  return { claimed: true, hasPoison, pacedNos }
}

function noteEarliest(nextDueMs: Map<number, number>, no: number, dueMs: number): void {
  nextDueMs.set(no, Math.min(dueMs, nextDueMs.get(no) ?? Number.POSITIVE_INFINITY))
}
