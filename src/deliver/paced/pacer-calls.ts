import type { PacerCall, PacerReply } from '../../pacing/pacer/protocol.ts'
import type { PacingLevel } from '../../pacing/settings.ts'
import type { Waiting } from './batches.sql.ts'
import type { PacedDeps } from './deps.ts'
import { readWaiting, removeEndedPacing } from './paced-claims.sql.ts'

type Seen = NonNullable<PacerCall['seen']>
/** `askedAtMs`: when the call was made, from which its times count. */
export type Reply = PacerReply & { askedAtMs: number }
/** What a caller has to tell its pacer; the rest of a call is always the same. */
export type PacerReport = Pick<
  PacerCall,
  'terms' | 'noted' | 'seen' | 'finished' | 'keeps' | 'placesMax' | 'wants'
>

export const NOTHING_WAITING: Seen = { events: 0, bytes: 0, sinceMs: null, isDue: false }
export const EMPTY_REPORT: PacerReport = {
  ...{ terms: null, noted: null, seen: null },
  ...{ finished: null, keeps: null, placesMax: null, wants: true },
}

/** One call of a subscription's pacer. Rejects when it fails. */
export async function callPacer(deps: PacedDeps, subscriptionNo: number, told: PacerReport): Promise<Reply> {
  const askedAtMs = deps.now()
  const reply = await deps.turn({
    v: 1,
    subscriptionNo,
    nowMs: askedAtMs,
    leaseId: deps.newId(),
    ...told,
  })
  return { ...reply, askedAtMs }
}

/** What waits right now, and its level; what is held or due later is seen to by wake-ups of its own. */
export async function readWaitingFor(
  deps: PacedDeps,
  no: number,
): Promise<{ seen: Seen; level: PacingLevel | null }> {
  const at = { subscriptionNo: no, nowMs: deps.now() }
  const looked = await readWaiting(deps.db, at)
  // What has ended in another way than by its batch may still hold its key.
  const isFreed = looked.waiting?.isDue === false && (await removeEndedPacing(deps.db, at))
  const { waiting, heldUntilMs, nextDueMs } = isFreed ? await readWaiting(deps.db, at) : looked
  const laterMs = heldUntilMs ?? nextDueMs
  if (laterMs !== null) await deps.hints.dueAt(new Map([[no, laterMs]]))
  return { seen: waitingSeen(waiting), level: waiting?.level ?? null }
}

/** What a pacer is told of what waits. */
export function waitingSeen(waiting: Waiting | null): Seen {
  if (waiting === null) return NOTHING_WAITING
  const { events, bytes, sinceMs, isDue } = waiting
  return { events, bytes, sinceMs, isDue }
}
