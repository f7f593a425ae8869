import {
  earlierAttemptsInShort,
  type LoggedAttempt,
  type LongResponse,
  longResponses,
} from './attempt-log.sql.ts'
import type { LoggedDelivery } from './delivery-log.sql.ts'
import { type LogQuery, readLog } from './read-log.ts'

/** A delivery with the attempts before its last one, in order. */
export type LogEntry = { delivery: LoggedDelivery; earlier: LoggedAttempt[] }

/** A page of the log; the next one begins below `nextBelowSeq`, null at the end. */
export type LogEntries = { entries: LogEntry[]; nextBelowSeq: number | null }

/** Attempts on a page, about 600 bytes each. */
const PAGE_ATTEMPTS_MAX = 5_000
/** Long responses on a page, 16 KB each at most. */
const PAGE_LONG_RESPONSES_MAX = 250
/** For the responses of one delivery alone, which make a page of their own. */
const NO_LIMIT = -1

/**
 * Reads a page of a subscription's log with all attempts. It ends early where its attempts or their responses would
 * make it too large for memory, but never before its first delivery.
 */
export async function readLogPage(db: D1Database, query: LogQuery): Promise<LogEntries> {
  const page = await readLog(db, query)
  const rows = page.rows.slice(0, countFitting(page.rows))
  const attempted = rows.filter(({ attempts }) => attempts > 0).map(({ seq }) => seq)
  const retried = rows.filter(({ attempts }) => attempts > 1).map(({ seq }) => seq)
  const no = query.subscriptionNo
  const [earlier, long] = await Promise.all([
    earlierAttemptsInShort(db, no, retried),
    longResponses(db, no, attempted, PAGE_LONG_RESPONSES_MAX + 1),
  ])
  const shown = long.length > PAGE_LONG_RESPONSES_MAX ? rowsBefore(rows, long.at(-1)) : rows
  const [first] = shown
  const isAlone = shown.length < rows.length && shown.length === 1 && first !== undefined
  const texts = isAlone ? await longResponses(db, no, [first.seq], NO_LIMIT) : long
  const last = shown.at(-1)
  return {
    entries: withTexts(shown, earlier, texts),
    nextBelowSeq: shown.length < page.rows.length && last !== undefined ? last.seq : page.nextBelowSeq,
  }
}

/** Counts the rows, at least one, whose attempts fit on a page. */
function countFitting(rows: readonly LoggedDelivery[]): number {
  let room = PAGE_ATTEMPTS_MAX
  const over = rows.findIndex(({ attempts }) => {
    room -= attempts
    return room < 0
  })
  return over === -1 ? rows.length : Math.max(1, over)
}

/** The rows whose responses have all been read: those before the delivery of the last response. */
function rowsBefore(rows: LoggedDelivery[], last: LongResponse | undefined): LoggedDelivery[] {
  const at = rows.findIndex(({ seq }) => seq === last?.seq)
  return rows.slice(0, Math.max(1, at))
}

function withTexts(
  rows: readonly LoggedDelivery[],
  earlier: readonly LoggedAttempt[],
  long: readonly LongResponse[],
): LogEntry[] {
  const texts = new Map(long.map(({ seq, n, text }) => [`${seq}/${n}`, text]))
  const textOf = (seq: number, n: number) => texts.get(`${seq}/${n}`) ?? null
  const bySeq = Map.groupBy(earlier, ({ seq }) => seq)
  return rows.map((row) => ({
    delivery: { ...row, response: row.response ?? textOf(row.seq, row.attempts) },
    earlier: (bySeq.get(row.seq) ?? []).map((attempt) => ({
      ...attempt,
      response: attempt.response ?? textOf(attempt.seq, attempt.n),
    })),
  }))
}
