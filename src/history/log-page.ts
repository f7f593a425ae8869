import { pairKey } from '../model/delivery.ts'
import {
  type AttemptOfPair,
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

/** Reads a page of a subscription's log with all attempts; it may end early, but never before its first delivery. */
export async function readLogPage(db: D1Database, query: LogQuery): Promise<LogEntries> {
  const { rows, nextBelowSeq } = await readLog(db, query)
  const entries = await withAttempts(db, rows)
  const last = entries.at(-1)
  const isCut = entries.length < rows.length && last !== undefined
  return { entries, nextBelowSeq: isCut ? last.delivery.seq : nextBelowSeq }
}

/**
 * Adds their attempts to the deliveries of a page, which ends early where these or their responses would make it too
 * large for memory, but never before its first delivery.
 */
export async function withAttempts(db: D1Database, page: readonly LoggedDelivery[]): Promise<LogEntry[]> {
  const rows = page.slice(0, countFitting(page))
  const attempted = rows.filter(({ attempts }) => attempts > 0)
  const retried = rows.filter(({ attempts }) => attempts > 1)
  const [earlier, long] = await Promise.all([
    earlierAttemptsInShort(db, retried),
    longResponses(db, attempted, PAGE_LONG_RESPONSES_MAX + 1),
  ])
  const shown = long.length > PAGE_LONG_RESPONSES_MAX ? rowsBefore(rows, long.at(-1)) : rows
  const [first] = shown
  const isAlone = shown.length < rows.length && shown.length === 1 && first !== undefined
  return withTexts(shown, earlier, isAlone ? await longResponses(db, [first], NO_LIMIT) : long)
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
  const at = rows.findIndex((row) => last !== undefined && pairKey(row) === pairKey(last))
  return rows.slice(0, Math.max(1, at))
}

function withTexts(
  rows: readonly LoggedDelivery[],
  earlier: readonly AttemptOfPair[],
  long: readonly LongResponse[],
): LogEntry[] {
  const texts = new Map(long.map(({ n, text, ...pair }) => [`${pairKey(pair)}/${n}`, text]))
  const textOf = (pair: { subscriptionNo: number; seq: number }, n: number) =>
    texts.get(`${pairKey(pair)}/${n}`) ?? null
  const byPair = Map.groupBy(earlier, pairKey)
  return rows.map((row) => ({
    delivery: { ...row, response: row.response ?? textOf(row, row.attempts) },
    earlier: (byPair.get(pairKey(row)) ?? []).map((attempt) => ({
      ...attempt,
      response: attempt.response ?? textOf(attempt, attempt.n),
    })),
  }))
}
