import { SEQ_BITS } from '../base/ids/seq.ts'
import { hourOf } from '../base/time.ts'
import { type DeliveryState, stateNumber } from '../model/delivery.ts'
import { ORIGIN } from '../store/event-row.sql.ts'
import { PAYLOAD, STATE } from '../store/states.sql.ts'
import { REPLAY_STATES, type ReplayState, replayStateNumber } from './replay.ts'
import { IS_RUNNING } from './replays.sql.ts'

/** One step of a replay, to be written unless another call has made it. */
type ReplayStep = {
  replayNo: number
  /** The replay's cursor when the step was read. */
  after: number
  /** The subscription's version that was matched against; null where nothing was matched. */
  version: number | null
  /** Rows to be made due again, with the state they ended in. */
  again: readonly { subscriptionNo: number; seq: number; state: DeliveryState }[]
  /** Deliveries to be given a row; `orderKey` is null where they have none. */
  fresh: readonly { subscriptionNo: number; seq: number; orderKey: string | null }[]
  examined: number
  reached: number
  isLast: boolean
  nextStepAtMs: number
}

/**
 * The end of a step: `applied` if this call made it; the replay's place; R2 keys that no row names
 * now.
 */
type StepResult = { applied: boolean; state: ReplayState; cursor: number; droppedKeys: string[] }

// A second call finds the cursor moved, and none of its statements does anything.
const GUARD = `EXISTS (SELECT 1 FROM replay r WHERE r.no = ?1 AND r.${IS_RUNNING} AND r.cursor = ?2
  AND (?3 IS NULL OR EXISTS (SELECT 1 FROM subscription v WHERE v.no = r.subscription_no AND v.version = ?3)))`

// Reads and writes are apart: a delivery cancelled or a subscription disabled meanwhile is left
// alone.
const OPEN = `(SELECT p.value ->> 0 AS sub, p.value ->> 1 AS seq, p.value ->> 2 AS state, p.value ->> 3 AS order_key, e.type, e.is_test, e.deliver_at_ms
  FROM json_each(?4) p
  CROSS JOIN subscription s ON s.no = p.value ->> 0 AND s.active = 1 AND s.deleted_at_ms IS NULL
  CROSS JOIN event e ON e.pk = (s.workspace_no << ${SEQ_BITS}) | (p.value ->> 1) AND e.cancelled_at_ms IS NULL AND e.erased_at_ms IS NULL)`

const MAKE_DUE = `due_at_ms = max(?5, coalesce(o.deliver_at_ms, 0)), crashes = 0, replay_no = ?1, replay_base = attempts, payload = ${PAYLOAD.none}, batch_no = NULL`
const DUE_AGAIN = `FROM ${OPEN} o WHERE delivery.subscription_no = o.sub AND delivery.seq = o.seq AND delivery.state = o.state
  AND delivery.due_at_ms IS NULL AND delivery.replay_no IS NOT ?1 AND ${GUARD}`

// A failed delivery stays failed until its next outcome: naming its state would write the index.
const FAILED_AGAIN = `UPDATE delivery SET ${MAKE_DUE} ${DUE_AGAIN}`
const ENDED_AGAIN = `UPDATE delivery SET ${MAKE_DUE}, state = ${STATE.pending}, error = NULL ${DUE_AGAIN}`

const UNCOUNT_FAILURES = `INSERT INTO statistic (subscription_no, hour, failed)
SELECT d.subscription_no, ?5, -count(*) FROM json_each(?4) p
CROSS JOIN delivery d ON d.subscription_no = p.value ->> 0 AND d.seq = p.value ->> 1
WHERE d.replay_no = ?1 AND d.is_test = 0 AND ${GUARD} GROUP BY 1
ON CONFLICT (subscription_no, hour) DO UPDATE SET failed = failed + excluded.failed`

const DROP_KEPT = `DELETE FROM kept_body WHERE (subscription_no, seq) IN (
  SELECT d.subscription_no, d.seq FROM json_each(?4) p
  CROSS JOIN delivery d ON d.subscription_no = p.value ->> 0 AND d.seq = p.value ->> 1 WHERE d.replay_no = ?1)
AND ${GUARD} RETURNING body_key`

const GIVE_ROWS = `INSERT INTO delivery (subscription_no, seq, type, state, due_at_ms, is_test, replay_no, order_key)
SELECT o.sub, o.seq, o.type, ${STATE.pending}, max(?5, coalesce(o.deliver_at_ms, 0)), o.is_test = ${ORIGIN.test}, ?1, o.order_key FROM ${OPEN} o WHERE ${GUARD}
ON CONFLICT DO NOTHING`

const ADVANCE = `UPDATE replay SET cursor = ?4, examined = examined + ?5, replayed = replayed + (
    SELECT count(*) FROM json_each(?6) p
    CROSS JOIN delivery d ON d.subscription_no = p.value ->> 0 AND d.seq = p.value ->> 1 WHERE d.replay_no = ?1),
  state = iif(?7, ${replayStateNumber('completed')}, ${replayStateNumber('running')}), finished_at_ms = iif(?7, ?8, NULL), next_step_at_ms = ?9
WHERE no = ?1 AND ${GUARD} RETURNING no`

/**
 * Makes a step in one transaction, or none of it when the replay has moved on, was ended, or its
 * subscription has changed.
 */
export async function applyStep(db: D1Database, step: ReplayStep, nowMs: number): Promise<StepResult> {
  const guard = [step.replayNo, step.after, step.version] as const
  const failed = pairsOf(step.again.filter(({ state }) => state === 'failed'))
  const ended = pairsOf(step.again.filter(({ state }) => state !== 'failed'))
  const again = pairsOf(step.again)
  const fresh = step.fresh.map(({ subscriptionNo, seq, orderKey }) => [subscriptionNo, seq, null, orderKey])
  const change = (sql: string, pairs: readonly unknown[], ...rest: number[]) =>
    pairs.length === 0 ? [] : [db.prepare(sql).bind(...guard, JSON.stringify(pairs), ...rest)]
  const progress = [step.reached, step.examined, JSON.stringify([...again, ...fresh])] as const
  const results = await db.batch([
    ...change(FAILED_AGAIN, failed, nowMs),
    ...change(ENDED_AGAIN, ended, nowMs),
    ...change(UNCOUNT_FAILURES, failed, hourOf(nowMs)),
    ...change(GIVE_ROWS, fresh, nowMs),
    ...change(DROP_KEPT, again),
    db.prepare(ADVANCE).bind(...guard, ...progress, step.isLast ? 1 : 0, nowMs, step.nextStepAtMs),
    db.prepare('SELECT state, cursor FROM replay WHERE no = ?1').bind(step.replayNo),
  ])
  return toResult(results, step)
}

function toResult(results: readonly D1Result[], { after, again }: ReplayStep): StepResult {
  const [now] = rowsOf<{ state: number; cursor: number }>(results, -1)
  const dropped = again.length === 0 ? [] : rowsOf<{ body_key: string | null }>(results, -3)
  return {
    applied: rowsOf(results, -2).length > 0,
    state: REPLAY_STATES[now?.state ?? 0] ?? 'failed',
    cursor: now?.cursor ?? after,
    droppedKeys: dropped.flatMap(({ body_key: key }) => (key === null ? [] : [key])),
  }
}

function rowsOf<T>(results: readonly D1Result[], at: number): T[] {
  return (results.at(at)?.results ?? []) as T[]
}

function pairsOf(deliveries: ReplayStep['again']): [number, number, number][] {
  return deliveries.map(({ subscriptionNo, seq, state }) => [subscriptionNo, seq, stateNumber(state)])
}
