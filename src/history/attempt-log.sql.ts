import { responseOf } from '../store/response-text.sql.ts'

/** One HTTP request made for a delivery. */
export type LoggedAttempt = {
  seq: number
  n: number
  atMs: number
  status: number | null
  error: string | null
  latencyMs: number | null
  response: string | null
}

/** `response` is the column or expression that is read as such. */
const attemptsWith = (response: string) =>
  `SELECT a.seq, a.n, a.at_ms AS atMs, a.status, a.error, a.latency_ms AS latencyMs, ${response} AS response
   FROM json_each(?2) s CROSS JOIN attempt a ON a.subscription_no = ?1 AND a.seq = s.value ORDER BY a.seq, a.n`

const ATTEMPTS = attemptsWith(responseOf('a', 'a.n'))
const ATTEMPTS_IN_SHORT = attemptsWith('a.response')

/** Reads the attempts before the last one of some deliveries, in order. */
export async function earlierAttempts(
  db: D1Database,
  subscriptionNo: number,
  seqs: readonly number[],
): Promise<LoggedAttempt[]> {
  return await readAttempts(db.prepare(ATTEMPTS), subscriptionNo, seqs)
}

/** Reads the same without the responses that are too long for their rows. */
export async function earlierAttemptsInShort(
  db: D1Database,
  subscriptionNo: number,
  seqs: readonly number[],
): Promise<LoggedAttempt[]> {
  return await readAttempts(db.prepare(ATTEMPTS_IN_SHORT), subscriptionNo, seqs)
}

async function readAttempts(
  statement: D1PreparedStatement,
  subscriptionNo: number,
  seqs: readonly number[],
): Promise<LoggedAttempt[]> {
  if (seqs.length === 0) return []
  const { results } = await statement.bind(subscriptionNo, JSON.stringify(seqs)).all<LoggedAttempt>()
  return results
}

/** A response too long for the row of its attempt. */
export type LongResponse = { seq: number; n: number; text: string }

/**
 * Reads long responses to attempts of some deliveries, those of the newest first: the joins run in the order of the
 * list. Sorted by SQL, all would be read before the limit counts.
 */
export async function longResponses(
  db: D1Database,
  subscriptionNo: number,
  seqs: readonly number[],
  limit: number,
): Promise<LongResponse[]> {
  if (seqs.length === 0) return []
  const newestFirst = [...seqs].sort((a, b) => b - a)
  const { results } = await db
    .prepare(
      `SELECT t.seq, t.n, t.text FROM json_each(?2) s
       CROSS JOIN response_text t ON t.subscription_no = ?1 AND t.seq = s.value LIMIT ?3`,
    )
    .bind(subscriptionNo, JSON.stringify(newestFirst), limit)
    .all<LongResponse>()
  return results
}
