import type { Background } from '../base/concurrency/background-limit.ts'
import { TaskGroup } from '../base/concurrency/task-group.ts'
import { describeError } from '../base/log.ts'
import type { ConsumeReport } from '../hints/consume-batch.ts'
import type { EventsHint } from '../hints/hint.ts'
import { wakesAfter } from '../hints/wake.ts'
import { heldBytesOf } from './attempt/claimed-delivery.ts'
import type { Invocation, WorkDeps } from './claim-run.ts'
import { type Claim, type ClaimTerms, claimEvents, type EventsUnit } from './claims.sql.ts'
import { deliverClaim } from './deliver-claim.ts'
import { divert } from './divert.ts'

export type FirstAttemptsDeps = {
  db: D1Database
  work: WorkDeps
  now: () => number
  newClaimId: () => string
  /** Sends hints on to the queue of unproven receivers; null where this is that queue. */
  forwardUnproven: ((hints: EventsHint[]) => Promise<void>) | null
  /** Puts the rest of the work back into this queue when the invocation's budget is spent. */
  sendBack: (hints: EventsHint[]) => Promise<void>
  /** Keeps work alive that the invocation does not wait for. */
  background: Background
  /** Whether an attempt to a receiver has been out for too long already. */
  isSlow: (subscriptionNo: number) => boolean
  /** Asks another consumer to look at paced subscriptions. */
  lookAt: (subscriptionNos: readonly number[]) => Promise<void>
  /** Schedules wake-ups for failed deliveries. */
  wake: (dueMs: ReadonlyMap<number, number>) => Promise<void>
}
/** Pairs one claim takes: what a crash may have to repeat, and what shares the cost of the claim's rows. */
export const PAIRS_PER_CLAIM = 100
/** Claims worked side by side, so that slots stay busy while the next pairs are read and outcomes are written. */
const CLAIMS_IN_FLIGHT = 3
/** How long a claim keeps others away. Longer than the longest time-out (30 s) with room for those before it. */
export const CLAIM_LEASE_MS = 90_000
/** An invocation takes on no new work after this time: long ones would keep the platform from adding consumers. */
const WORK_BUDGET_MS = 15_000

/**
 * Works through hints for first attempts: claims pairs, makes their attempts, records outcomes. A hint is done once D1
 * knows who is responsible for all of its pairs. A claim whose receivers hang is left to the background. Rejects when
 * D1 or a queue fails; `report` then says what was done.
 */
export async function deliverFirstAttempts(
  deps: FirstAttemptsDeps,
  hints: readonly EventsHint[],
  invocation: Invocation,
  report: ConsumeReport,
): Promise<void> {
  const startedAtMs = deps.now()
  const crew = new TaskGroup(deps.background)
  const excluded = new Set<number>()
  const cursor = { at: 0, seq: 0 }
  try {
    while (cursor.at < hints.length) {
      const units = remaining(hints, cursor)
      if (deps.now() - startedAtMs > WORK_BUDGET_MS) {
        await deps.sendBack(units)
        break
      }
      const terms = claimTerms(deps)
      const claim = await claimEvents(deps.db, terms, units.map(toUnit), [...excluded])
      if (claim !== null) {
        const kept = await divert(deps, claim, units, excluded)
        if (kept.pairs.length > 0) start(deps, kept, terms, { crew, invocation, report })
      }
      if (claim === null || claim.pairs.length < terms.pairsMax) break
      advance(hints, cursor, claim, report)
      await crew.untilBelow(CLAIMS_IN_FLIGHT)
    }
    report.done.fill(true, cursor.at)
  } finally {
    await crew.join()
  }
}

/** Begins a claim's work and lets it go on beside the next claim. */
function start(
  deps: FirstAttemptsDeps,
  claim: Claim,
  terms: ClaimTerms,
  run: { crew: TaskGroup; invocation: Invocation; report: ConsumeReport },
): void {
  run.report.claims++
  const startedAtMs = deps.now()
  const work = deliverClaim(deps.work, claim, terms.expiresAtMs, run.invocation)
    .then(async (done) => {
      run.report.attempts += done.attempts
      run.report.delivered += done.delivered
      const nowMs = deps.now()
      await deps.wake(wakesAfter(claim, done.dueMs, nowMs - startedAtMs, nowMs))
    })
    // What could not be recorded is still claimed and what could not be woken is due: the sweeper finds both.
    .catch((error: unknown) => {
      run.report.unsettled++
      run.report.unsettledError ??= describeError(error)
    })
  run.crew.start(work, () => heldBytesOf(claim.events))
}

function claimTerms(deps: FirstAttemptsDeps): ClaimTerms {
  const nowMs = deps.now()
  return { id: deps.newClaimId(), nowMs, expiresAtMs: nowMs + CLAIM_LEASE_MS, pairsMax: PAIRS_PER_CLAIM }
}

function toUnit({ workspaceNo, firstSeq, lastSeq, subscriptions }: EventsHint): EventsUnit {
  return { workspaceNo, firstSeq, lastSeq, subscriptions: subscriptions ?? null }
}

/** The hints from the cursor on, the first of them shortened to what is left of it. */
function remaining(hints: readonly EventsHint[], cursor: { at: number; seq: number }): EventsHint[] {
  const [first, ...rest] = hints.slice(cursor.at)
  return first === undefined ? [] : [{ ...first, firstSeq: Math.max(first.firstSeq, cursor.seq) }, ...rest]
}

/** A full claim ended somewhere in the units: the next one starts at the last event it touched. */
function advance(
  hints: readonly EventsHint[],
  cursor: { at: number; seq: number },
  claim: Claim,
  report: ConsumeReport,
): void {
  const last = claim.pairs.at(-1)
  if (last === undefined) return
  let at = cursor.at
  while (at < hints.length && !covers(hints[at], last)) at++
  if (at === hints.length) return
  report.done.fill(true, cursor.at, at)
  cursor.at = at
  cursor.seq = last.seq
}

function covers(hint: EventsHint | undefined, pair: { workspaceNo: number; seq: number }): boolean {
  return (
    hint !== undefined &&
    hint.workspaceNo === pair.workspaceNo &&
    hint.firstSeq <= pair.seq &&
    pair.seq <= hint.lastSeq
  )
}
