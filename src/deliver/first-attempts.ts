import { TaskGroup } from '../base/concurrency/task-group.ts'
import { describeError } from '../base/log.ts'
import type { ConsumeReport } from '../hints/consume-batch.ts'
import type { EventsHint } from '../hints/hint.ts'
import { wakesAfter } from '../hints/wake.ts'
import { heldBytesOf } from './attempt/claimed-delivery.ts'
import { deliverClaim } from './claim-run.ts'
import { type Claim, type ClaimTerms, claimEvents, type EventsUnit } from './claims.sql.ts'
import type { ConsumerDeps, ConsumerRun } from './consumer-deps.ts'
import { divert } from './divert.ts'

/** Pairs of one claim. They share the cost of its rows, and a crash may have to repeat them. */
export const PAIRS_PER_CLAIM = 100
/** Claims worked side by side, so that slots stay busy while the next pairs are read and outcomes are written. */
const CLAIMS_IN_FLIGHT = 3
/** The lease of a claim: longer than the longest timeout (30 s), with room for the attempts before it. */
export const CLAIM_LEASE_MS = 90_000
/** An invocation takes on no new work after this time: long ones keep the platform from adding consumers. */
const WORK_BUDGET_MS = 15_000

/** One run over hints for first attempts, by the consumers of receivers that have proven themselves or of the others. */
export type FirstAttemptsRun = ConsumerRun & { receivers: 'proven' | 'unproven' }

/**
 * Works through hints for first attempts: claims pairs, makes their attempts, records outcomes. A hint is done once D1
 * knows who is responsible for all of its pairs. A claim whose receivers hang is left to the background. Rejects when
 * D1 or a queue fails; `report` then says what was done.
 */
export async function deliverFirstAttempts(
  deps: ConsumerDeps,
  hints: readonly EventsHint[],
  run: FirstAttemptsRun,
): Promise<void> {
  const startedAtMs = deps.now()
  const tasks = new TaskGroup(deps.background)
  const excluded = new Set<number>()
  const cursor = { at: 0, seq: 0 }
  try {
    while (cursor.at < hints.length) {
      const units = remaining(hints, cursor)
      if (deps.now() - startedAtMs > WORK_BUDGET_MS) {
        await sendBack(deps, units, run)
        break
      }
      const terms = claimTerms(deps)
      const claim = await claimEvents(deps.db, terms, units.map(toUnit), [...excluded])
      if (claim !== null) {
        const kept = await divert(deps, claim, { units, excluded, receivers: run.receivers })
        if (kept.pairs.length > 0) start(deps, kept, terms, { ...run, tasks })
      }
      if (claim === null || claim.pairs.length < terms.pairsMax) break
      advance(hints, cursor, claim, run.report)
      await tasks.untilBelow(CLAIMS_IN_FLIGHT)
    }
    run.report.done.fill(true, cursor.at)
  } finally {
    await tasks.join()
  }
}

/** Puts work back into its queue for another invocation. */
async function sendBack(
  { hints }: ConsumerDeps,
  units: readonly EventsHint[],
  { receivers }: FirstAttemptsRun,
) {
  await (receivers === 'proven' ? hints.firstAttempts(units) : hints.unprovenFirstAttempts(units))
}

/** Begins a claim's work and lets it go on beside the next claim. */
function start(
  deps: ConsumerDeps,
  claim: Claim,
  terms: ClaimTerms,
  run: FirstAttemptsRun & { tasks: TaskGroup },
): void {
  run.report.claims++
  const startedAtMs = deps.now()
  const { expiresAtMs } = terms
  const work = deliverClaim(deps.work, claim, { expiresAtMs, invocation: run.invocation })
    .then(async (done) => {
      run.report.attempts += done.attempts
      run.report.delivered += done.delivered
      const nowMs = deps.now()
      await deps.hints.dueAt(wakesAfter(claim, done.dueMs, nowMs - startedAtMs, nowMs))
    })
    // An outcome that could not be recorded is still claimed, a wake-up that was lost is due: the sweeper finds both.
    .catch((error: unknown) => {
      run.report.unsettled++
      run.report.unsettledError ??= describeError(error)
    })
  run.tasks.start(work, () => heldBytesOf(claim.events))
}

function claimTerms(deps: ConsumerDeps): ClaimTerms {
  const nowMs = deps.now()
  return { id: deps.newId(), nowMs, expiresAtMs: nowMs + CLAIM_LEASE_MS, pairsMax: PAIRS_PER_CLAIM }
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
