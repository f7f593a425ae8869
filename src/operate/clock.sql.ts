import { isScheduled } from '../store/event-row.sql.ts'
import { dueWalk } from './sweep.sql.ts'

/** Deliveries that are due later than this by the old clock are late by what it was set back, and no more. */
const SOON_MS = 900_000
/** Deliveries of one correction: D1 answers nobody meanwhile. */
const DELIVERIES_MAX = 10_000

const DUE_SOON = `SELECT d.subscription_no, d.seq FROM walk CROSS JOIN delivery d INDEXED BY delivery_due
  ON d.subscription_no = walk.no AND d.due_at_ms > ?2 AND d.due_at_ms <= ?3 WHERE NOT ${isScheduled('d')} LIMIT ${DELIVERIES_MAX}`

/**
 * Corrects what was set by a clock that was ahead by `byMs`, in one transaction with the time of the last sweep, by which
 * that was noticed: holds of receivers, leases of claims, and the next attempts of what is due soon.
 */
export async function setTimesBack(db: D1Database, byMs: number, nowMs: number): Promise<void> {
  const back = (column: string) => `${column} = max(0, ${column} - ?1)`
  const soonMs = nowMs + byMs + SOON_MS
  await db.batch([
    db
      .prepare(
        `UPDATE subscription SET ${back('held_until_ms')}, ${back('throttled_until_ms')} WHERE max(held_until_ms, throttled_until_ms) > ?2`,
      )
      .bind(byMs, nowMs),
    db
      .prepare(`UPDATE claim SET ${back('expires_at_ms')} WHERE live = 1 AND expires_at_ms > ?2`)
      .bind(byMs, nowMs),
    db
      .prepare(
        `UPDATE delivery SET ${back('due_at_ms')} WHERE (subscription_no, seq) IN (WITH RECURSIVE ${dueWalk()} ${DUE_SOON})`,
      )
      .bind(byMs, nowMs, soonMs),
    db
      .prepare(`UPDATE batch SET ${back('due_at_ms')} WHERE due_at_ms > ?2 AND due_at_ms <= ?3`)
      .bind(byMs, nowMs, soonMs),
    db.prepare(`UPDATE job SET ran_at_ms = ?1 WHERE name = 'sweep'`).bind(nowMs),
  ])
}
