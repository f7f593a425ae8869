/** Rows that one statement may look at: D1 answers nobody meanwhile. */
export const SCAN_ROWS_MAX = 2_000
/** Statements for one page of a filtered list. */
const TURNS_MAX = 5

/** Rows found, newest first; everything from `coveredToSeq` up was looked at (0: all of it). */
export type Scanned<T> = { rows: T[]; coveredToSeq: number }

/** The stretch that is looked through: numbers below `belowSeq` and from `minSeq` on, for at most `limit` rows. */
type Stretch = { belowSeq: number; minSeq: number; limit: number }

/**
 * Fills a page in turns, each of which looks at a bounded number of rows. A page is short when its turns are spent;
 * then the next begins where it stopped. `nextBelowSeq` is null when all was looked at.
 */
export async function scanInTurns<T>(
  { belowSeq, minSeq, limit }: Stretch,
  scan: (turn: { belowSeq: number; limit: number; rowsMax: number }) => Promise<Scanned<T>>,
): Promise<{ rows: T[]; nextBelowSeq: number | null }> {
  const rows: T[] = []
  let top = belowSeq
  for (let turn = 0; turn < TURNS_MAX && rows.length < limit; turn++) {
    const wanted = { belowSeq: top, limit: limit - rows.length, rowsMax: SCAN_ROWS_MAX }
    const { rows: found, coveredToSeq } = await scan(wanted)
    rows.push(...found)
    if (coveredToSeq <= minSeq) return { rows, nextBelowSeq: null }
    top = coveredToSeq
  }
  return { rows, nextBelowSeq: top }
}
