import { joinAll } from '../../base/concurrency/wait.ts'
import { seqFloor } from '../../base/ids/seq.ts'
import { PACING_LEVELS } from '../../pacing/settings.ts'
import { heldBytesOf } from '../attempt/claimed-delivery.ts'
import { isPausedHere } from '../claim-run.ts'
import { CLAIM_LEASE_MS, PAIRS_PER_CLAIM } from '../first-attempts.ts'
import { deliverPacedClaim } from './deliver-paced-claim.ts'
import type { PacedDeps, PacedWork } from './deps.ts'
import { GrantGate } from './grant-gate.ts'
import { isolatePoison } from './isolate-poison.ts'
import { claimPaced, type PacedClaim, readWaiting, removeEndedPacing } from './paced-claims.sql.ts'

const ORDERED = PACING_LEVELS.indexOf('ordered')
/** Batches that are left over from settings that have been dropped, in one claim. */
const BATCHES_PER_CLAIM = 10
/** When a receiver that hangs is looked at again. */
const HANGING_RECHECK_MS = 5_000

/** After this time the rest of a claim's work goes on beside the next claim: one key that hangs holds up no others. */
const CLAIM_WAIT_MS = 500

/**
 * Serves one subscription that only keeps an order, or that has dropped its pacing and has deliveries left from it: claims
 * and attempts until nothing may go. D1 alone keeps the order, so no pacer is asked. Rejects when D1 fails.
 */
export async function serveOrdered(deps: PacedDeps, no: number, work: PacedWork): Promise<void> {
  const underWay = new Set<Promise<void>>()
  try {
    while ((await serveOnce(deps, no, work, underWay)) === 'again') {
      if (deps.now() > work.untilMs) return await deps.hints.paced([{ no, ordered: true }])
    }
  } finally {
    await work.handle.whileIdle(joinAll(underWay))
  }
}

async function serveOnce(
  deps: PacedDeps,
  no: number,
  work: PacedWork,
  underWay: Set<Promise<void>>,
): Promise<'again' | 'done'> {
  const nowMs = deps.now()
  const expiresAtMs = nowMs + CLAIM_LEASE_MS
  const terms = {
    ...{ id: deps.newId(), nowMs, expiresAtMs, pairsMax: PAIRS_PER_CLAIM },
    ...{ subscriptionNo: no, level: ORDERED, batchesMax: BATCHES_PER_CLAIM },
  }
  const bind = {
    mode: 'flushed' as const,
    cause: 'change' as const,
    noFloor: seqFloor(nowMs),
  }
  const { claimed } = await claimPaced(deps.db, terms, bind)
  if (claimed === null && underWay.size === 0) return await conclude(deps, no)
  // What is taken up meanwhile, others take up. Keys become free when outcomes are written, before the claim has ended.
  if (claimed === null) await work.handle.whileIdle(Promise.race([...underWay, deps.sleep(CLAIM_WAIT_MS)]))
  else await start(deps, { ...claimed, expiresAtMs }, work, underWay)
  const [subscription] = claimed?.claim.subscriptions ?? []
  const endedAtMs = deps.now()
  if (
    subscription !== undefined &&
    isPausedHere({ invocation: work.invocation, deps: deps.work }, subscription, endedAtMs)
  ) {
    await deps.hints.dueAt(new Map([[no, endedAtMs + HANGING_RECHECK_MS]]))
    return 'done'
  }
  return 'again'
}

/** Works a claim; where orders are kept apart by keys, waits for it only for a while. */
async function start(
  deps: PacedDeps,
  claimed: PacedClaim & { expiresAtMs: number },
  work: PacedWork,
  underWay: Set<Promise<void>>,
): Promise<void> {
  const bytes = heldBytesOf(claimed.claim.events)
  work.holds.bytes += bytes
  // One that fails stays, so that whoever waits for all hears of it.
  const working = workClaimed(deps, claimed, work)
    .finally(() => {
      work.holds.bytes -= bytes
    })
    .then(() => void underWay.delete(working))
  underWay.add(working)
  const isKeyed = claimed.claim.subscriptions.some(({ settings }) => settings.orderingKey !== null)
  await Promise.race(isKeyed ? [working, deps.sleep(CLAIM_WAIT_MS)] : [working])
}

async function workClaimed(
  deps: PacedDeps,
  { expiresAtMs, ...claimed }: PacedClaim & { expiresAtMs: number },
  { invocation, report }: PacedWork,
): Promise<void> {
  report.claims++
  const times = { requests: PAIRS_PER_CLAIM, firstAtMs: deps.now(), everyMs: 0 }
  const gate = new GrantGate(times, deps.now, deps.sleep)
  const isolated = await isolatePoison(deps.db, claimed)
  const done = await deliverPacedClaim(deps.work, isolated, expiresAtMs, invocation, gate)
  report.attempts += done.attempts
  report.delivered += done.delivered
  await deps.hints.dueAt(done.dueMs)
}

/** Nothing may go: frees what an ended batch still holds, else sees to it that somebody looks when that changes. */
async function conclude(deps: PacedDeps, no: number): Promise<'again' | 'done'> {
  const nowMs = deps.now()
  if (await removeEndedPacing(deps.db, { subscriptionNo: no, nowMs })) return 'again'
  const { waiting, heldUntilMs, nextDueMs } = await readWaiting(deps.db, { subscriptionNo: no, nowMs })
  const laterMs = heldUntilMs ?? nextDueMs
  if (laterMs !== null) await deps.hints.dueAt(new Map([[no, laterMs]]))
  // It has become metered meanwhile: its pacer has to be asked.
  if (waiting !== null && waiting.level > ORDERED) await deps.hints.paced([{ no }])
  return 'done'
}
