import { type AttemptDetail, readAttemptDetail } from '../model/attempt-detail.ts'
import { PAYLOAD_KINDS, type PayloadKind } from '../model/delivery.ts'
import { PAYLOAD } from '../store/states.sql.ts'

/** What is kept of one attempt beside its row in the log, and of the payload that its delivery sends. */
export type KeptAttempt = {
  detail: AttemptDetail | null
  payload: PayloadKind
  kept: { contentType: string; body: string | null; bodyKey: string | null } | null
  /** Attempts before the last replay, which may have sent other bytes. */
  replayBase: number
  replayId: string | null
}

const READ = `SELECT d.payload, d.replay_base AS replayBase, (SELECT r.id FROM replay r WHERE r.no = d.replay_no) AS replayId,
  iif(d.attempts = ?3, d.detail, (SELECT a.detail FROM attempt a WHERE a.subscription_no = ?1 AND a.seq = ?2 AND a.n = ?3)) AS detail,
  k.content_type AS contentType, k.body, k.body_key AS bodyKey
FROM delivery d LEFT JOIN kept_body k ON d.payload = ${PAYLOAD.kept} AND k.subscription_no = d.subscription_no AND k.seq = d.seq
WHERE d.subscription_no = ?1 AND d.seq = ?2`

type Row = {
  payload: number
  replayBase: number
  replayId: string | null
  detail: string | null
  contentType: string | null
  body: string | null
  bodyKey: string | null
}

/** Reads what is kept of a delivery's attempt; null where the delivery has no row. */
export async function readKeptAttempt(
  db: D1Database,
  { subscriptionNo, seq, n }: { subscriptionNo: number; seq: number; n: number },
): Promise<KeptAttempt | null> {
  const row = await db.prepare(READ).bind(subscriptionNo, seq, n).first<Row>()
  if (row === null) return null
  const { contentType, body, bodyKey, replayBase, replayId } = row
  return {
    detail: readAttemptDetail(row.detail),
    payload: PAYLOAD_KINDS[row.payload] ?? 'none',
    kept: contentType === null ? null : { contentType, body, bodyKey },
    replayBase,
    replayId,
  }
}
