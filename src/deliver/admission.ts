import type { SkipReason, StoredEvent } from '../model/delivery.ts'
import { type EventTiming, expiryOf, isExpired, waitsUntil } from '../model/event-timing.ts'
import { holdOf } from '../receiver/hold.ts'
import type { Subscription } from '../subscription/subscription.ts'

/**
 * The decision about a claimed delivery: it is attempted, ends without an attempt, waits for a time of its own, or
 * waits while its subscription is held. A `probe` is attempted, and nothing else of its subscription.
 */
export type Admission =
  | { kind: 'attempt'; probe: boolean }
  | { kind: 'skip'; reason: SkipReason }
  | { kind: 'later'; dueAtMs: number }
  | { kind: 'held' }

type Receiver = Pick<
  Subscription,
  'active' | 'disabledReason' | 'deletedAtMs' | 'pausedAtMs' | 'breaker' | 'settings'
>

/** The origin of a delivery: its event, a replay of it, or a person who requested just this one, now. */
export type Wish = 'event' | 'replay' | 'person'

/**
 * Decides about one delivery. One that a person requested passes the breaker, a pause and a schedule, as tests do; it
 * and replays pass their expiry. A deleted or disabled subscription gets none.
 */
export function admissionOf(
  subscription: Receiver,
  event: StoredEvent,
  { wish, nowMs }: { wish: Wish; nowMs: number },
): Admission {
  const reason = skipReason(subscription, event, wish, nowMs)
  if (reason !== null) return { kind: 'skip', reason }
  if (wish === 'person' || event.isTest) return { kind: 'attempt', probe: false }
  const dueAtMs = waitsUntil(event, nowMs)
  if (dueAtMs !== null) return { kind: 'later', dueAtMs }
  const hold = holdOf(subscription, nowMs)
  switch (hold.kind) {
    case 'none':
      return { kind: 'attempt', probe: false }
    case 'paused':
      return { kind: 'held' }
    case 'until':
      return hold.probe ? { kind: 'attempt', probe: true } : { kind: 'held' }
  }
}

function skipReason(
  { active, disabledReason, deletedAtMs, settings }: Receiver,
  event: StoredEvent,
  wish: Wish,
  nowMs: number,
): SkipReason | null {
  if (deletedAtMs !== null) return 'deleted'
  // Not even a test goes to a host that has not shown that it wants anything.
  if (!active && (!event.isTest || disabledReason === 'unverified')) {
    return disabledReason === 'gone' ? 'gone' : 'disabled'
  }
  if (event.cancelledAtMs !== null || event.erasedAtMs !== null) return 'cancelled'
  const timing: EventTiming = event
  return wish === 'event' && isExpired(expiryOf(timing, settings), nowMs) ? 'expired' : null
}
