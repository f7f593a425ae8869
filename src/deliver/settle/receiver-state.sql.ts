import {
  BREAKER_FAULTS_MAX,
  BREAKER_FAULTS_MIN,
  BREAKER_HOLD_MS_MAX,
  BREAKER_HOLD_MS_MIN,
  type BreakerChange,
} from '../../receiver/breaker.ts'
import type { BudgetObservation } from '../../receiver/failure-budget.ts'
import type { DisabledReason, Health } from '../../receiver/health.ts'
import { healthNumber } from '../../subscription/row.ts'
import { bumpConfigVersion } from '../../workspace/workspaces.sql.ts'

/** The changes that a claim makes to a receiver's state; null members change nothing. */
export type ReceiverStateChange = {
  subscriptionNo: number
  workspaceNo: number
  health: Health | null
  breaker: BreakerChange | null
  budget: BudgetObservation | null
  /** The level of the failure budget that is announced with this; null for none. */
  announced: number | null
  disable: Exclude<DisabledReason, 'manual'> | null
  /** A probe of a subscription that was disabled for failing has succeeded. */
  enable: boolean
}

// `applyBreaker` and `spendBudget` in SQL, on the row as it is now: claims of two isolates add up. Inside out: what
// counts before the change, whether faults count at all, how many there are then, and how long that holds.
// ?2 is the kind (0 closes, 1 adds, 2 resets), ?3 faults, ?4 throttled until, ?5 now, ?6 jitter in thousandths, ?7 successes, ?8 failures, ?9 announced,
// ?10 health, ?11 and ?12 the claim and its part: a settlement that runs twice must not add twice.
const OPEN = `(bf >= ${BREAKER_FAULTS_MIN} AND bh > ?5)`
const UPDATE = `UPDATE subscription SET
  faults_in_row = c.f,
  held_until_ms = iif(c.same, c.bh, iif(c.f < ${BREAKER_FAULTS_MIN}, 0, ?5 + min(${BREAKER_HOLD_MS_MIN} << (c.f - ${BREAKER_FAULTS_MIN}), ${BREAKER_HOLD_MS_MAX}) * ?6 / 1000)),
  throttled_until_ms = c.bt,
  failing_since_ms = iif(?8 > 0, coalesce(iif(?7 > 0, NULL, failing_since_ms), ?5), iif(?7 > 0, NULL, failing_since_ms)),
  failed_attempts = iif(?7 > 0, 0, failed_attempts) + ?8,
  announced_percent = max(iif(?7 > 0, 0, announced_percent), ?9),
  health = coalesce(?10, health)
FROM (SELECT b.*, iif(b.same, b.bf, iif(b.bf < ${BREAKER_FAULTS_MIN}, min(b.bf + ?3, ${BREAKER_FAULTS_MIN}), min(b.bf + 1, ${BREAKER_FAULTS_MAX}))) AS f
  FROM (SELECT a.*, (?3 = 0 OR ${OPEN}) AS same
    FROM (SELECT no, iif(?2 = 1, faults_in_row, 0) AS bf, iif(?2 = 1, held_until_ms, 0) AS bh,
      iif(?2 = 2, 0, max(throttled_until_ms, ?4)) AS bt FROM subscription WHERE no = ?1) a) b) c
WHERE subscription.no = c.no AND EXISTS (SELECT 1 FROM claim k WHERE k.id = ?11 AND k.parts = ?12)`

const DISABLE = `UPDATE subscription SET active = 0, disabled_reason = ?2, updated_at_ms = ?3, version = version + 1 WHERE no = ?1 AND active = 1`
const ENABLE = `UPDATE subscription SET active = 1, disabled_reason = NULL, updated_at_ms = ?2, version = version + 1
WHERE no = ?1 AND active = 0 AND disabled_reason = 'failing' AND deleted_at_ms IS NULL`

/** The numbers by which `UPDATE` knows the kinds of a breaker's change. */
const KINDS: Record<BreakerChange['kind'], number> = { close: 0, add: 1, reset: 2 }
const NO_CHANGE: Omit<BreakerChange, 'nowMs'> = {
  kind: 'add',
  faults: 0,
  throttledUntilMs: 0,
  jitterPermille: 1000,
}

/**
 * The statements for one change; they go before the one that counts the claim's part. Disabling and enabling change what
 * events match, so every isolate has to match afresh.
 */
export function receiverStateStatements(
  db: D1Database,
  change: ReceiverStateChange,
  claim: { id: string; part: number },
  nowMs: number,
): D1PreparedStatement[] {
  const { subscriptionNo, workspaceNo, health, budget, announced, disable, enable } = change
  const breaker = change.breaker ?? { ...NO_CHANGE, nowMs }
  const statements = [
    db
      .prepare(UPDATE)
      .bind(
        subscriptionNo,
        KINDS[breaker.kind],
        breaker.faults,
        breaker.throttledUntilMs,
        breaker.nowMs,
        breaker.jitterPermille,
        budget?.successes ?? 0,
        budget?.failures ?? 0,
        announced ?? 0,
        health === null ? null : healthNumber(health),
        claim.id,
        claim.part,
      ),
  ]
  if (disable !== null) statements.push(db.prepare(DISABLE).bind(subscriptionNo, disable, nowMs))
  if (enable) statements.push(db.prepare(ENABLE).bind(subscriptionNo, nowMs))
  if (disable !== null || enable) statements.push(bumpConfigVersion(db, workspaceNo))
  return statements
}
