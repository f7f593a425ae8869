import type { Subscription } from '../subscription.ts'

/**
 * The state of a subscription in one word, the first that holds: `slow` takes other queues than the healthy ones, and
 * `unproven` has had no success yet.
 */
export const STANDINGS = ['disabled', 'paused', 'failing', 'slow', 'unproven', 'healthy'] as const
export type Standing = (typeof STANDINGS)[number]

/** Says how a subscription stands; `standing.sql.ts` says the same. */
export function standingOf({
  active,
  pausedAtMs,
  budget,
  health,
}: Pick<Subscription, 'active' | 'pausedAtMs' | 'budget' | 'health'>): Standing {
  if (!active) return 'disabled'
  if (pausedAtMs !== null) return 'paused'
  if (budget.failingSinceMs !== null) return 'failing'
  switch (health) {
    case 'suspect':
      return 'slow'
    case 'unproven':
      return 'unproven'
    case 'healthy':
      return 'healthy'
  }
}
