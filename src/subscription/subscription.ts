import type { WorkspaceDestinations } from '../destination/rules.ts'
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
  /** The rules of its workspace, as they were when it was read. */
  destinations: WorkspaceDestinations
  id: string
  /** The id that its creator chose, by which it can be named too; null without one. */
  uid: string | null
  /**
   * The target of dispatches is stored as a subscription
   * too, but no event matches it and no list shows it.
   */
  kind: 'subscription' | 'dispatch'
  version: number
  active: boolean
  /** Why an inactive one is inactive; null for an active one. */
  disabledReason: DisabledReason | null
  pausedAtMs: number | null
  /** The last challenge of its host, and why that was not enough. */
  challenge: { atMs: number | null; problem: string | null }
  health: Health
  breaker: BreakerState
  budget: FailureBudget
  /** The way its deliveries are held back; above what its settings need while earlier ones still wait. */
  pacingLevel: PacingLevel
  /** Deliveries that wait for a batch leave at once up to this number; 0 for none. */
  flushUntilSeq: number
  /** Until when those who listen to its workspace are told of its deliveries. */
  streamedUntilMs: number
  settings: SubscriptionSettings
  sealed: SealedParts
  createdAtMs: number
  updatedAtMs: number
  deletedAtMs: number | null
}
/** The parts of a subscription that are stored encrypted. */
export type SealedParts = {
  secretCipher: string | null
  /** The secret before the last rotation, which also signs until `previousSecretUntilMs`. */
  previousSecretCipher: string | null
  previousSecretUntilMs: number | null
  authCipher: string | null
  signingKeysCipher: string | null
}
