import type { CountedWaiting, PacerCall, PacerReply } from '../../pacing/pacer/protocol.ts'
import type { PacingLevel } from '../../pacing/settings.ts'
import type { Waiting } from './batches.sql.ts'
import type { PacedDeps } from './deps.ts'
import { readWaitingState, removeEndedPacing } from './paced-claims.sql.ts'

/** A pacer's answer; its times count from `askedAtMs`. */
export type Reply = PacerReply & { askedAtMs: number }
/** Leave to make requests. */
export type Grant = Extract<PacerReply, { kind: 'go' }> & Pick<Reply, 'askedAtMs'>
/** The part of a call in which calls differ. */
export type PacerReport = Omit<PacerCall, 'subscriptionNo' | 'nowMs' | 'leaseId'>

export const NOTHING_WAITING: CountedWaiting = { events: 0, bytes: 0, sinceMs: null, isDue: false }
export const EMPTY_REPORT: PacerReport = {
  terms: null,
  arrived: null,
  waiting: null,
  finished: null,
  keepsPermits: null,
  permitsMax: null,
  wantsMore: true,
}

/** Calls a subscription's pacer once. Rejects when the pacer does not answer. */
export async function callPacer(
  deps: PacedDeps,
  subscriptionNo: number,
  report: PacerReport,
): Promise<Reply> {
  const askedAtMs = deps.now()
  const call = { subscriptionNo, nowMs: askedAtMs, leaseId: deps.newId(), ...report }
  return { ...(await deps.callPacer(call)), askedAtMs }
}

/**
 * Counts the deliveries that wait right now; `level` is null while the subscription is held or
 * paused. Deliveries that are held or due later get a wake-up of their own.
 */
export async function readWaiting(
  deps: PacedDeps,
  no: number,
): Promise<{ waiting: CountedWaiting; level: PacingLevel | null }> {
  const at = { subscriptionNo: no, nowMs: deps.now() }
  const found = await readWaitingState(deps.db, at)
  // Deliveries that have ended otherwise than by their batch may still hold their key.
  const isFreed = found.waiting?.isDue === false && (await removeEndedPacing(deps.db, at))
  const { waiting, heldUntilMs, nextDueMs } = isFreed ? await readWaitingState(deps.db, at) : found
  const laterMs = heldUntilMs ?? nextDueMs
  if (laterMs !== null) await deps.hints.dueAt(new Map([[no, laterMs]]))
  return { waiting: countedOf(waiting), level: waiting?.level ?? null }
}

/** The count for a pacer; nothing waits for it while the subscription is held or paused. */
export function countedOf(waiting: Waiting | null): CountedWaiting {
  if (waiting === null) return NOTHING_WAITING
  const { events, bytes, sinceMs, isDue } = waiting
  return { events, bytes, sinceMs, isDue }
}
