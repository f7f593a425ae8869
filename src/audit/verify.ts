import { type ChainEnds, readDown, readEnds, readEntries } from './audit.sql.ts'
import { type AuditEntry, CHAIN_START, type ChainPlace, hashOf } from './entry.ts'

/** Rows of one round trip, and round trips of one step. */
const ROWS_PER_READ = 500
const READS_PER_STEP = 4

/**
 * What is wrong with the row at a place: it is not what was written, it is gone, or no append has written it. `rewritten`
 * is a chain that no longer has the row whose hash its operator has noted.
 */
export type BreakKind = 'changed' | 'missing' | 'inserted' | 'rewritten'
export type ChainBreak = { kind: BreakKind; no: number; hash: string | null }

/** How far a chain has been verified, from its head down. */
export type Verification = {
  ends: ChainEnds
  checked: number
  /** The first break from the head on; below it nothing can be said. */
  found: ChainBreak | null
  /** The number below which the next step begins, and the time of the last row that was verified; null at the end. */
  next: { belowNo: number; atMs: number } | null
}

const EMPTY: ChainEnds = { head: CHAIN_START, purged: CHAIN_START }

/**
 * Recomputes a stretch of a chain, from its head or from below a row that an earlier step has reached. The head's hash
 * vouches for its row, and each row for the one before it: so the row that was touched is the one that is named.
 */
export async function verifyChain(
  db: D1Database,
  chain: string,
  { belowNo, noted }: { belowNo: number | null; noted: ChainPlace | null },
): Promise<Verification> {
  const { ends: known, stray } = await readEnds(db, chain)
  const ends = known ?? EMPTY
  const end = { ends, checked: 0, next: null }
  if (stray !== null) return { ...end, found: { kind: 'inserted', ...stray } }
  if (noted !== null && (await isRewritten(db, chain, { ends, noted })))
    return { ...end, found: { kind: 'rewritten', ...noted } }
  const expected = belowNo === null ? ends.head : await placeBelow(db, chain, belowNo)
  if (expected === null) return { ...end, found: { kind: 'missing', no: belowNo ?? 0, hash: null } }
  return await new ChainWalk(db, chain, ends, expected).walk()
}

/** True where the row of a noted head is not in the chain: it was written anew, or cut off. What was purged says nothing. */
async function isRewritten(
  db: D1Database,
  chain: string,
  { ends, noted }: { ends: ChainEnds; noted: ChainPlace },
): Promise<boolean> {
  if (noted.no <= ends.purged.no) return false
  const rows = await readEntries(db, chain, noted.no)
  return !rows.some(({ hash }) => hash === noted.hash)
}

async function placeBelow(db: D1Database, chain: string, belowNo: number): Promise<ChainPlace | null> {
  const [row] = await readEntries(db, chain, belowNo)
  return row === undefined ? null : { no: belowNo - 1, hash: row.previousHash }
}

class ChainWalk {
  readonly #db: D1Database
  readonly #chain: string
  #ends: ChainEnds
  /** The place of the row that comes next, as the row above it says. */
  #expected: ChainPlace
  #checked = 0
  #lastAtMs = 0

  constructor(db: D1Database, chain: string, ends: ChainEnds, expected: ChainPlace) {
    this.#db = db
    this.#chain = chain
    this.#ends = ends
    this.#expected = expected
  }

  async walk(): Promise<Verification> {
    for (let reads = 0; reads < READS_PER_STEP; reads++) {
      const { ends, entries } = await readDown(this.#db, this.#chain, {
        fromNo: this.#expected.no,
        limit: ROWS_PER_READ + 1,
      })
      // The purge may have taken rows since the last read: the chain begins where it says now.
      if (ends !== null) this.#ends = { ...this.#ends, purged: ends.purged }
      const found = await this.#check(entries, { isWhole: entries.length <= ROWS_PER_READ })
      if (found !== null) return this.#answer(found, null)
      if (this.#expected.no <= this.#ends.purged.no) return this.#answer(this.#breakAtStart(), null)
    }
    return this.#answer(null, { belowNo: this.#expected.no + 1, atMs: this.#lastAtMs })
  }

  /** Checks rows, newest first. Of rows that are not all, the last number may have more: it is left for the next read. */
  async #check(
    entries: readonly AuditEntry[],
    { isWhole }: { isWhole: boolean },
  ): Promise<ChainBreak | null> {
    const groups = [...Map.groupBy(entries, ({ no }) => no)]
    const complete = isWhole || groups.length === 1 ? groups : groups.slice(0, -1)
    for (const [no, rows] of complete) {
      if (no < this.#expected.no) return { kind: 'missing', ...this.#expected }
      const found = await this.#checkRows(rows)
      if (found !== null) return found
    }
    const isShort = isWhole && this.#expected.no > this.#ends.purged.no
    return isShort ? { kind: 'missing', ...this.#expected } : null
  }

  async #checkRows(rows: readonly AuditEntry[]): Promise<ChainBreak | null> {
    const { no, hash } = this.#expected
    const own = rows.find((row) => row.hash === hash)
    if (own === undefined) return { kind: 'changed', no, hash: rows[0]?.hash ?? null }
    const other = rows.find((row) => row !== own)
    if (other !== undefined) return { kind: 'inserted', no, hash: other.hash }
    if ((await hashOf(own)) !== hash) return { kind: 'changed', no, hash }
    this.#expected = { no: no - 1, hash: own.previousHash }
    this.#lastAtMs = own.atMs
    this.#checked++
    return null
  }

  /** The oldest row that is kept follows the newest that was purged, or the start. */
  #breakAtStart(): ChainBreak | null {
    const { purged } = this.#ends
    const isStart = this.#expected.no === purged.no && this.#expected.hash === purged.hash
    return isStart || this.#expected.no < purged.no ? null : { kind: 'missing', ...this.#expected }
  }

  #answer(found: ChainBreak | null, next: Verification['next']): Verification {
    return { ends: this.#ends, checked: this.#checked, found, next }
  }
}
