import type { PacerCall, PacerReply } from '../../pacing/pacer/protocol.ts'
import type { Resting } from './batches.sql.ts'
import type { PacedDeps } from './deps.ts'
import { lookAtResting, tidyPacing } from './paced-claims.sql.ts'

type Seen = NonNullable<PacerCall['seen']>
/** `askedAtMs`: when the call was made, from which its times count. */
export type Reply = PacerReply & { askedAtMs: number }
/** What a caller has to tell its pacer; the rest of a call is always the same. */
export type Told = Pick<PacerCall, 'terms' | 'noted' | 'seen' | 'finished' | 'keeps' | 'placesMax' | 'wants'>

export const NOTHING_SEEN: Seen = { events: 0, bytes: 0, sinceMs: null, isDue: false }
export const TOLD_NOTHING: Told = {
  ...{ terms: null, noted: null, seen: null },
  ...{ finished: null, keeps: null, placesMax: null, wants: true },
}

/** One call of a subscription's pacer. Rejects when it fails. */
export async function ask(deps: PacedDeps, subscriptionNo: number, told: Told): Promise<Reply> {
  const askedAtMs = deps.now()
  const reply = await deps.turn({
    v: 1,
    subscriptionNo,
    nowMs: askedAtMs,
    leaseId: deps.newClaimId(),
    ...told,
  })
  return { ...reply, askedAtMs }
}

/** What rests right now, its level as stored; what is held or due later is seen to by wake-ups of its own. */
export async function look(deps: PacedDeps, no: number): Promise<{ seen: Seen; paced: number | null }> {
  const at = { subscriptionNo: no, nowMs: deps.now() }
  const looked = await lookAtResting(deps.db, at)
  // What has ended in another way than by its batch may still hold its key.
  const isFreed = looked.resting?.isDue === false && (await tidyPacing(deps.db, at))
  const { resting, heldUntilMs, nextDueMs } = isFreed ? await lookAtResting(deps.db, at) : looked
  const laterMs = heldUntilMs ?? nextDueMs
  if (laterMs !== null) await deps.wake(new Map([[no, laterMs]]))
  return { seen: seenOf(resting), paced: resting?.paced ?? null }
}

/** What a pacer is told of what rests. */
export function seenOf(resting: Resting | null): Seen {
  if (resting === null) return NOTHING_SEEN
  const { events, bytes, sinceMs, isDue } = resting
  return { events, bytes, sinceMs, isDue }
}
