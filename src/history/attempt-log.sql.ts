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

/** An attempt of one of many deliveries. */
export type AttemptOfPair = LoggedAttempt & { subscriptionNo: number }

type PairOf = { subscriptionNo: number; seq: number }

const COLUMNS = 'a.seq, a.n, a.at_ms AS atMs, a.status, a.error, a.latency_ms AS latencyMs'

const ATTEMPTS = `SELECT ${COLUMNS}, ${responseOf('a', 'a.n')} AS response
  FROM json_each(?2) s CROSS JOIN attempt a ON a.subscription_no = ?1 AND a.seq = s.value ORDER BY a.seq, a.n`
const OF_PAIR = (row: string) => `${row}.subscription_no = p.value ->> 0 AND ${row}.seq = p.value ->> 1`

/** Reads the attempts before the last one of some deliveries, in order. */
export async function earlierAttempts(
  db: D1Database,
  subscriptionNo: number,
  seqs: readonly number[],
): Promise<LoggedAttempt[]> {
  if (seqs.length === 0) return []
  const { results } = await db
    .prepare(ATTEMPTS)
    .bind(subscriptionNo, JSON.stringify(seqs))
    .all<LoggedAttempt>()
  return results
}

/** Reads the same of deliveries to any subscriptions, without responses that are too long for their rows. */
export async function earlierAttemptsInShort(
  db: D1Database,
  pairs: readonly PairOf[],
): Promise<AttemptOfPair[]> {
  if (pairs.length === 0) return []
  const { results } = await db
    .prepare(
      `SELECT a.subscription_no AS subscriptionNo, ${COLUMNS}, a.response FROM json_each(?1) p CROSS JOIN attempt a ON ${OF_PAIR('a')}
       ORDER BY a.subscription_no, a.seq, a.n`,
    )
    .bind(listOf(pairs))
    .all<AttemptOfPair>()
  return results
}

/** A response too long for the row of its attempt. */
export type LongResponse = PairOf & { n: number; text: string }

/**
 * Reads long responses to attempts of some deliveries, those of the first first: the joins run in the order of the
 * list. Sorted by SQL, all would be read before the limit counts.
 */
export async function longResponses(
  db: D1Database,
  pairs: readonly PairOf[],
  limit: number,
): Promise<LongResponse[]> {
  if (pairs.length === 0) return []
  const { results } = await db
    .prepare(
      `SELECT t.subscription_no AS subscriptionNo, t.seq, t.n, t.text FROM json_each(?1) p
       CROSS JOIN response_text t ON ${OF_PAIR('t')} LIMIT ?2`,
    )
    .bind(listOf(pairs), limit)
    .all<LongResponse>()
  return results
}

function listOf(pairs: readonly PairOf[]): string {
  return JSON.stringify(pairs.map(({ subscriptionNo, seq }) => [subscriptionNo, seq]))
}
