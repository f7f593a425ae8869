import { BACKGROUND_AFTER_MS, TaskGroup } from '../base/concurrency/task-group.ts'
import type { FirstAttemptsHint } from '../hints/hint.ts'
import { pairsOf } from '../hints/pairs.ts'
import type { Pair } from '../model/delivery.ts'
import { type ClaimClass, untilCalm } from './attempt/calm.ts'
import { heldBytesOf } from './attempt/claimed-delivery.ts'
import { type Claim, claimPairs } from './claims.sql.ts'
import type { ConsumerDeps, ConsumerRun } from './consumer-deps.ts'
import { deliverClaim } from './deliver-claim.ts'
import { divert, handOnUnproven } from './divert.ts'
import { owedPairs } from './owed.sql.ts'

/** Pairs of one claim. They share the cost of its rows, and a crash may have to repeat them. */
export const PAIRS_PER_CLAIM = 100
/** Claims worked side by side, so that slots stay busy while the next pairs are read and outcomes are written. */
const CLAIMS_IN_FLIGHT = 3
/** The lease of a claim: longer than the longest timeout (30 s), with room for the attempts before it. */
export const CLAIM_LEASE_MS = 90_000
/** An invocation takes on no new work after this time: long ones keep the platform from adding consumers. */
const WORK_BUDGET_MS = 15_000

/** First attempts at unproven receivers begin at most at this pace, in milliseconds for each. */
const UNPROVEN_WAIT_MS_PER_PAIR = 0.5

/** One run over hints for first attempts, by the consumers of receivers that have proven themselves or of the others. */
export type FirstAttemptsRun = ConsumerRun & { receivers: 'proven' | 'unproven'; claimClass: ClaimClass }

/** Deliveries for one claim, and how many of the hints end with them. */
type Portion = { pairs: Pair[]; hintsEnded: number }

/**
 * Works through hints for first attempts: claims pairs, makes their attempts, records outcomes. A hint is done once D1
 * knows who is responsible for all of its pairs. A claim whose receivers hang is left to the background. Rejects when
 * D1 or a queue fails; `report` then says what was done.
 */
export async function deliverFirstAttempts(
  deps: ConsumerDeps,
  hints: readonly FirstAttemptsHint[],
  run: FirstAttemptsRun,
): Promise<void> {
  const startedAtMs = deps.now()
  const tasks = new TaskGroup(deps.background, waitMsOf(hints, run))
  try {
    let hintsEnded = 0
    for await (const portion of portionsOf(deps.db, hints)) {
      if (deps.now() - startedAtMs > WORK_BUDGET_MS) {
        await deps.hints.firstAttemptsAgain(hints.slice(hintsEnded), run.receivers)
        break
      }
      await untilCalm(deps.work, run.claimClass)
      await claimAndStart(deps, portion.pairs, { ...run, tasks })
      hintsEnded = portion.hintsEnded
      run.report.done.fill(true, 0, hintsEnded)
      await tasks.untilBelow(claimsInFlight(run))
    }
    run.report.done.fill(true)
  } finally {
    await tasks.join()
  }
}

/**
 * The time a claim's requests are waited for. One hint for unproven receivers is a whole invocation's work, so that the
 * next one has connections of its own; a short wait keeps them from all beginning at once.
 */
function waitMsOf(hints: readonly FirstAttemptsHint[], { receivers }: FirstAttemptsRun): number {
  if (receivers === 'proven') return BACKGROUND_AFTER_MS
  const pairs = hints.reduce((sum, hint) => sum + (hint.kind === 'pairs' ? pairsOf(hint).length : 1), 0)
  return Math.min(BACKGROUND_AFTER_MS, Math.ceil(pairs * UNPROVEN_WAIT_MS_PER_PAIR))
}

/** More claims side by side where free slots could start all of them; else they would only wait in memory. */
function claimsInFlight({ invocation }: FirstAttemptsRun): number {
  return Math.max(CLAIMS_IN_FLIGHT, Math.floor(invocation.slots.free / PAIRS_PER_CLAIM))
}

/** Cuts what hints name into claims. Ranges of events are read from D1, named pairs are not. */
async function* portionsOf(db: D1Database, hints: readonly FirstAttemptsHint[]): AsyncGenerator<Portion> {
  let pairs: Pair[] = []
  for (const [i, hint] of hints.entries()) {
    for await (const owed of owedBy(db, hint)) {
      pairs = pairs.concat(owed)
      for (; pairs.length > PAIRS_PER_CLAIM; pairs = pairs.slice(PAIRS_PER_CLAIM)) {
        yield { pairs: pairs.slice(0, PAIRS_PER_CLAIM), hintsEnded: i }
      }
    }
    if (pairs.length < PAIRS_PER_CLAIM) continue
    yield { pairs, hintsEnded: i + 1 }
    pairs = []
  }
  if (pairs.length > 0) yield { pairs, hintsEnded: hints.length }
}

async function* owedBy(db: D1Database, hint: FirstAttemptsHint): AsyncGenerator<Pair[]> {
  if (hint.kind === 'pairs') yield pairsOf(hint)
  else yield* owedPairs(db, { ...hint, subscriptions: hint.subscriptions ?? null })
}

/** Claims the pairs that are free, diverts those that must not share these consumers, and begins with the others. */
async function claimAndStart(
  deps: ConsumerDeps,
  owed: readonly Pair[],
  run: FirstAttemptsRun & { tasks: TaskGroup },
): Promise<void> {
  const pairs = run.receivers === 'proven' ? await handOnUnproven(deps, owed) : owed
  if (pairs.length === 0) return
  const nowMs = deps.now()
  const lease = { id: deps.newId(), nowMs, expiresAtMs: nowMs + CLAIM_LEASE_MS }
  const claim = await claimPairs(deps.db, lease, pairs)
  if (claim === null) return
  const kept = await divert(deps, claim, run.receivers)
  if (kept.pairs.length > 0) start(deps, kept, lease.expiresAtMs, run)
}

/** Begins a claim's work and lets it go on beside the next claim. */
function start(
  deps: ConsumerDeps,
  claim: Claim,
  expiresAtMs: number,
  run: FirstAttemptsRun & { tasks: TaskGroup },
): void {
  const work = deliverClaim(deps, { claim, expiresAtMs }, run).then(() => undefined)
  run.tasks.start(work, () => heldBytesOf(claim.events))
}
