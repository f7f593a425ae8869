import { hourOf } from '../../base/time.ts'
import { BLOCKED_UNTIL_MS } from '../../outcome/retry-policy.ts'
import { STATE } from '../../store/states.sql.ts'

const ENDED_UNSUCCESSFUL = `d.state IN (${STATE.failed}, ${STATE.skipped})`

const ENDED = 'd.subscription_no = ?1 AND d.seq = ?2 AND d.due_at_ms IS NULL'

/**
 * Ends the batch that blocks with the delivery in it, if `d` is in a state to be retried: it would keep its keys busy
 * and never be due, so that the retry depended on its hint. Its other members go on blocking, each by itself.
 */
const dissolveBlocked = (
  where: string,
) => `UPDATE batch SET due_at_ms = NULL, fresh = 0, body = NULL, body_key = NULL
WHERE subscription_no = ?1 AND fresh IN (0, 1) AND due_at_ms = ${BLOCKED_UNTIL_MS}
  AND EXISTS (SELECT 1 FROM json_each(batch.members) m WHERE m.value = ?2)
  AND EXISTS (SELECT 1 FROM delivery d WHERE d.subscription_no = ?1 AND d.seq = ?2 AND ${where})`

const DISSOLVE_WITH_ENDED = dissolveBlocked(`d.due_at_ms IS NULL AND ${ENDED_UNSUCCESSFUL}`)

const DISSOLVE_WITH_DUE = dissolveBlocked('d.due_at_ms IS NOT NULL')

// A delivery that blocked belongs to no batch any more: it is due by itself.
const BRING_FORWARD = `UPDATE delivery SET due_at_ms = min(due_at_ms, ?3), batch_no = iif(due_at_ms = ${BLOCKED_UNTIL_MS}, NULL, batch_no)
WHERE subscription_no = ?1 AND seq = ?2 AND due_at_ms IS NOT NULL RETURNING seq`

/**
 * Makes a delivery that failed for good or was skipped due at once, and takes it out of the failures counted. False
 * when it is in another state.
 */
export async function makeDueAgain(
  db: D1Database,
  { subscriptionNo, seq }: { subscriptionNo: number; seq: number },
  nowMs: number,
): Promise<boolean> {
  const [, , made] = await db.batch([
    db.prepare(DISSOLVE_WITH_ENDED).bind(subscriptionNo, seq),
    db
      .prepare(
        `INSERT INTO statistic (subscription_no, hour, failed)
         SELECT d.subscription_no, ?3, -1 FROM delivery d WHERE ${ENDED} AND d.state = ${STATE.failed} AND d.is_test = 0
         ON CONFLICT (subscription_no, hour) DO UPDATE SET failed = failed - 1`,
      )
      .bind(subscriptionNo, seq, hourOf(nowMs)),
    db
      .prepare(
        `UPDATE delivery AS d SET due_at_ms = ?3, crashes = 0, batch_no = NULL, state = iif(d.attempts > 0, ${STATE.failed}, ${STATE.pending}),
           error = iif(d.state = ${STATE.skipped}, NULL, d.error) WHERE ${ENDED} AND ${ENDED_UNSUCCESSFUL} RETURNING seq`,
      )
      .bind(subscriptionNo, seq, nowMs),
  ])
  return (made?.results.length ?? 0) > 0
}

/** Brings a scheduled retry forward to now. False when none is scheduled. */
export async function bringForward(
  db: D1Database,
  { subscriptionNo, seq }: { subscriptionNo: number; seq: number },
  nowMs: number,
): Promise<boolean> {
  const [, moved] = await db.batch([
    db.prepare(DISSOLVE_WITH_DUE).bind(subscriptionNo, seq),
    db.prepare(BRING_FORWARD).bind(subscriptionNo, seq, nowMs),
  ])
  return (moved?.results.length ?? 0) > 0
}
