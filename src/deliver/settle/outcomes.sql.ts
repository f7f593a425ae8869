import { latencyBucket } from '../../history/counters.ts'
import { isWholeAnswer, PAYLOAD_KINDS } from '../../model/delivery.ts'
import { inlineResponse } from '../../store/response-text.sql.ts'
import { STATE } from '../../store/states.sql.ts'
import type { AttemptRecord } from '../attempt/attempt.ts'

/** In the order of `rowOf`. */
const COLUMNS =
  'sub type state due n at status error latency response is_test bucket payload batch detail seqs'.split(' ')

/**
 * Table `o` of the outcomes bound as ?1, one row for those that are alike but for their events, and `m` of the events'
 * numbers. Materialized, or each column would be looked up in the text again wherever it is named.
 */
export const OUTCOMES = `o AS MATERIALIZED (SELECT ${COLUMNS.map((name, i) => `g.value ${name === 'seqs' ? '->' : '->>'} ${i} AS ${name}`).join(', ')} FROM json_each(?1) g)`
/** Each delivery with an outcome; of those that are alike the first, `m.key = 0`, stands for the request. */
export const EACH_OUTCOME = 'o CROSS JOIN json_each(o.seqs) m'

type OutcomeRow = [...(string | number | null)[], number[]]

/** The text of outcomes as `OUTCOMES` reads it. Of a batch's members most are alike. */
export function outcomesText(attempts: readonly AttemptRecord[]): string {
  const rows: OutcomeRow[] = []
  const alike = new Map<string, number[]>()
  for (const attempt of attempts) {
    const key = attempt.batchNo === null ? null : keyOf(attempt)
    const seqs = key === null ? undefined : alike.get(key)
    if (seqs !== undefined) {
      seqs.push(attempt.seq)
      continue
    }
    const started = [attempt.seq]
    if (key !== null) alike.set(key, started)
    rows.push(rowOf(attempt, started))
  }
  return JSON.stringify(rows)
}

/** The part of an outcome that may differ between members of one batch's one request. */
function keyOf({ batchNo, type, attemptNo, dueAtMs, isTest }: AttemptRecord): string {
  return `${batchNo}/${attemptNo}/${dueAtMs}/${isTest}/${type}`
}

function rowOf(a: AttemptRecord, seqs: number[]): OutcomeRow {
  // Only answers say something about a receiver's speed; a fault's duration is mostly our own timeout.
  const bucket = isWholeAnswer(a) && a.isCounted ? latencyBucket(a.latencyMs) : null
  return [
    a.subscriptionNo,
    a.type,
    a.success ? STATE.success : STATE.failed,
    a.dueAtMs,
    a.attemptNo,
    a.atMs,
    a.status,
    a.error,
    a.latencyMs,
    inlineResponse(a.response),
    a.isTest ? 1 : 0,
    bucket,
    PAYLOAD_KINDS.indexOf(a.payload),
    a.batchNo,
    a.detail,
    seqs,
  ]
}
