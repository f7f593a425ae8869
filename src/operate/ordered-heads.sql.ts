import { BLOCKED_UNTIL_MS } from '../outcome/retry-policy.ts'
import { isUnhappy, STATE } from '../store/states.sql.ts'

/** Deliveries of ordered subscriptions that have failed and hold those behind them, and what waits in the same subscriptions. */
export type OrderedCounts = {
  retrying: number
  /** Their retries are used up: they wait for a person. */
  blocked: number
  waiting: number
  nextRetryMs: number | null
}

/**
 * SQL that counts `OrderedCounts` to a limit, for the workspace `?1` or for all: a receiver that fails now and then gets
 * its order no faster than the retries of single deliveries allow, and nothing else shows it.
 */
export function orderedSql(everywhere: boolean, limit: number): string {
  const some = everywhere
    ? 'subscription s INDEXED BY subscription_paced WHERE true'
    : 'subscription s INDEXED BY subscription_workspace WHERE s.workspace_no = (SELECT no FROM workspace WHERE id = ?1)'
  const ordered = `SELECT s.no FROM ${some} AND s.pacing_level > 0 AND s.deleted_at_ms IS NULL AND s.config ->> 'ordered' LIMIT ${limit}`
  const heads = `SELECT o.no, d.due_at_ms FROM (${ordered}) o CROSS JOIN delivery d INDEXED BY delivery_due
    ON d.subscription_no = o.no AND d.due_at_ms IS NOT NULL AND d.state = ${STATE.failed} LIMIT ${limit}`
  return `WITH head AS MATERIALIZED (${heads})
    SELECT coalesce(sum(due_at_ms <> ${BLOCKED_UNTIL_MS}), 0) AS retrying, coalesce(sum(due_at_ms = ${BLOCKED_UNTIL_MS}), 0) AS blocked,
      min(nullif(due_at_ms, ${BLOCKED_UNTIL_MS})) AS nextRetryMs,
      (SELECT count(*) FROM (SELECT 1 FROM (SELECT DISTINCT no FROM head) h CROSS JOIN delivery d INDEXED BY delivery_unhappy
        ON d.subscription_no = h.no AND ${isUnhappy('d', 'pending')} LIMIT ${limit})) AS waiting
    FROM head`
}
