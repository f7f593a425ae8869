import type { DeliveryState } from '../model/delivery.ts'
import { hasRequestLimit } from '../pacing/settings.ts'
import { BREAKER_FAULTS_MIN } from '../receiver/breaker.ts'
import type { Subscription } from './subscription.ts'

/** The cause for which an outstanding delivery is not attempted at this moment. */
export const WAITING_REASONS = [
  'paused',
  'retry_after',
  'breaker',
  'retry',
  'schedule',
  'order',
  'batch',
  'limit',
  'turn',
] as const

/** What a delivery waits for; `untilMs` is null where no time is known. */
export type WaitingFor = { reason: (typeof WAITING_REASONS)[number]; untilMs: number | null }

type Outstanding = { state: DeliveryState; dueAtMs: number | null; acceptedAtMs: number | null }
type Receiver = Pick<Subscription, 'pausedAtMs' | 'breaker' | 'settings'>

/**
 * Finds what an outstanding delivery waits for: of several causes the one that lasts longest. A pause outlasts all, and
 * only after all times have passed do order, batch and limit matter.
 */
export function waitingFor(
  { state, dueAtMs, acceptedAtMs }: Outstanding,
  { pausedAtMs, breaker, settings }: Receiver,
  nowMs: number,
): WaitingFor {
  if (pausedAtMs !== null) return { reason: 'paused', untilMs: null }
  const isOpen = breaker.faultsInRow >= BREAKER_FAULTS_MIN
  const times: WaitingFor[] = [
    { reason: 'retry_after', untilMs: breaker.throttledUntilMs },
    { reason: 'breaker', untilMs: isOpen ? breaker.heldUntilMs : 0 },
    { reason: state === 'failed' ? 'retry' : 'schedule', untilMs: dueAtMs ?? 0 },
  ]
  const longest = times.reduce((one, other) => ((other.untilMs ?? 0) > (one.untilMs ?? 0) ? other : one))
  if ((longest.untilMs ?? 0) > nowMs) return longest
  // One delivery at a time probes a receiver whose breaker has had its time.
  if (isOpen) return { reason: 'breaker', untilMs: null }
  if (settings.ordered) return { reason: 'order', untilMs: null }
  if (settings.batchSettings?.enabled === true) {
    const fullAtMs = (acceptedAtMs ?? nowMs) + settings.batchSettings.maxWaitTime * 1_000
    return { reason: 'batch', untilMs: state === 'pending' && fullAtMs > nowMs ? fullAtMs : null }
  }
  return { reason: hasRequestLimit(settings) ? 'limit' : 'turn', untilMs: null }
}
