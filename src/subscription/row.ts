import { readDestinations } from '../destination/rules.ts'
import { PACING_LEVELS } from '../pacing/settings.ts'
import { BUDGET_LEVELS, type FailureBudget } from '../receiver/failure-budget.ts'
import type { DisabledReason, Health } from '../receiver/health.ts'
import { storedSettingsSchema } from './settings.ts'
import type { Subscription } from './subscription.ts'

/** Health as stored; the order is part of the schema. */
const HEALTHS: readonly Health[] = ['unproven', 'healthy', 'suspect']

/** The stored number of a health. */
export function healthNumber(health: Health): number {
  return HEALTHS.indexOf(health)
}

/** The beginning of every generated id of a subscription. */
export const SUBSCRIPTION_ID_PREFIX = 'webhook_'

/** A row of `SUBSCRIPTION_COLUMNS`. */
export type SubscriptionRow = {
  no: number
  workspace_no: number
  workspace_id: string
  destinations: string
  id: string
  uid: string | null
  kind: number
  version: number
  active: number
  disabled_reason: string | null
  paused_at_ms: number | null
  challenged_at_ms: number | null
  challenge_problem: string | null
  health: number
  faults_in_row: number
  held_until_ms: number
  throttled_until_ms: number
  failing_since_ms: number | null
  failed_attempts: number
  announced_percent: number
  pacing_level: number
  flush_until_seq: number
  streamed_until_ms: number
  config: string
  secret_cipher: string | null
  previous_secret_cipher: string | null
  previous_secret_until_ms: number | null
  auth_cipher: string | null
  signing_keys_cipher: string | null
  created_at_ms: number
  updated_at_ms: number
  deleted_at_ms: number | null
}

export const DISPATCH = 1

/** Reads a stored row; throws when it is not what this relay writes. */
export function toSubscription(row: SubscriptionRow): Subscription {
  return {
    no: row.no,
    workspaceNo: row.workspace_no,
    workspaceId: row.workspace_id,
    destinations: readDestinations(row.destinations),
    id: row.id,
    uid: row.uid,
    kind: row.kind === DISPATCH ? 'dispatch' : 'subscription',
    version: row.version,
    active: row.active === 1,
    disabledReason: row.active === 1 ? null : disabledReason(row.disabled_reason),
    pausedAtMs: row.paused_at_ms,
    challenge: { atMs: row.challenged_at_ms, problem: row.challenge_problem },
    health: HEALTHS[row.health] ?? 'unproven',
    breaker: {
      faultsInRow: row.faults_in_row,
      heldUntilMs: row.held_until_ms,
      throttledUntilMs: row.throttled_until_ms,
    },
    budget: {
      failingSinceMs: row.failing_since_ms,
      failedAttempts: row.failed_attempts,
      announcedPercent: announcedLevel(row.announced_percent),
    },
    pacingLevel: PACING_LEVELS[row.pacing_level] ?? 'none',
    flushUntilSeq: row.flush_until_seq,
    streamedUntilMs: row.streamed_until_ms,
    settings: storedSettingsSchema.parse(JSON.parse(row.config)),
    sealed: {
      secretCipher: row.secret_cipher,
      previousSecretCipher: row.previous_secret_cipher,
      previousSecretUntilMs: row.previous_secret_until_ms,
      authCipher: row.auth_cipher,
      signingKeysCipher: row.signing_keys_cipher,
    },
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
    deletedAtMs: row.deleted_at_ms,
  }
}

function announcedLevel(percent: number): FailureBudget['announcedPercent'] {
  return BUDGET_LEVELS.findLast((level) => level <= percent) ?? 0
}

function disabledReason(text: string | null): DisabledReason {
  return text === 'gone' || text === 'failing' || text === 'unverified' ? text : 'manual'
}
