import type { PacingLevel } from '../pacing/settings.ts'
import type { BreakerState } from '../receiver/breaker.ts'
import type { FailureBudget } from '../receiver/failure-budget.ts'
import type { DisabledReason, Health } from '../receiver/health.ts'
import type { SubscriptionSettings } from './settings.ts'

/** A subscription without its secrets, which stay sealed. */
export type Subscription = {
  no: number
  workspaceNo: number
  workspaceId: string
  id: string
  /** A dispatch's target is kept like a subscription, but no event matches it and no list shows it. */
  kind: 'subscription' | 'dispatch'
  version: number
  active: boolean
  /** Why an inactive one is inactive; null for an active one. */
  disabledReason: DisabledReason | null
  pausedAtMs: number | null
  health: Health
  breaker: BreakerState
  budget: FailureBudget
  /** How its deliveries are held back; above what its settings need while some still wait because of earlier ones. */
  pacingLevel: PacingLevel
  /** What waits for a batch and has a number up to this is to leave at once; 0 for none. */
  flushUntilSeq: number
  settings: SubscriptionSettings
  sealed: SealedParts
  createdAtMs: number
  updatedAtMs: number
  deletedAtMs: number | null
}
/** What of a subscription is kept encrypted. */
export type SealedParts = {
  secretCipher: string | null
  /** The secret before the last rotation; deliveries are signed with it as well until `previousSecretUntilMs`. */
  previousSecretCipher: string | null
  previousSecretUntilMs: number | null
  authCipher: string | null
  signingKeysCipher: string | null
}
