import type { Subscription } from '../subscription/subscription.ts'

/**
 * When a delivery that blocks those behind it is due: never, but as what is due it counts as outstanding, so that a
 * person may retry or cancel it. 9999-12-31, in unix milliseconds.
 */
export const BLOCKED_UNTIL_MS = 253_402_300_799_999

/** When a delivery that has no attempt left is due again: never, or it blocks its key until somebody sees to it. */
export function dueWhenExhausted({
  settings: { ordered, onExhausted },
}: Pick<Subscription, 'settings'>): number | null {
  return ordered && onExhausted === 'block' ? BLOCKED_UNTIL_MS : null
}
