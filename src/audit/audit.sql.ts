import type { AuditEntry, ChainPlace } from './entry.ts'

const COLUMNS = `chain, no, hash, previous_hash AS previousHash, at_ms AS atMs, actor, address, user_agent AS userAgent, action, route, object, fields, request_id AS requestId, outcome, code`
const HEAD = 'SELECT head_no AS no, head_hash AS hash FROM audit_chain WHERE chain = ?1'
const IS_HEAD = 'chain = ?1 AND head_no = ?2 AND head_hash = ?3'

const BEGIN = `INSERT INTO audit_chain (chain, head_no, head_hash, purged_no, purged_hash, purge_at_ms) VALUES (?1, ?2, ?3, ?2, ?3, ?4)
ON CONFLICT (chain) DO NOTHING`
const INSERT = `INSERT INTO audit_entry (chain, no, hash, previous_hash, at_ms, actor, address, user_agent, action, route, object, fields, request_id, outcome, code)
SELECT ?1, ?4, ?5, ?3, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16 FROM audit_chain WHERE ${IS_HEAD}`
const MOVE_HEAD = `UPDATE audit_chain SET head_no = ?4, head_hash = ?5 WHERE ${IS_HEAD}`

/** The newest row of a chain; null before the first. */
export async function readHead(db: D1Database, chain: string): Promise<ChainPlace | null> {
  return await db.prepare(HEAD).bind(chain).first<ChainPlace>()
}

/**
 * Writes an entry behind the head that it was made for, in one transaction that moves the head. Answers the head there
 * is now: another one than the entry where others were faster, and nothing was written. `purgeAtMs` is when the purge looks
 * at a chain that begins with it.
 */
export async function appendEntry(
  db: D1Database,
  entry: AuditEntry,
  { purgeAtMs }: { purgeAtMs: number },
): Promise<ChainPlace | null> {
  const { chain, no, hash, previousHash, atMs, actor, address, userAgent } = entry
  const { action, route, object, fields, requestId, outcome, code } = entry
  const behind = [chain, no - 1, previousHash]
  const what = [action, route, object, fields, requestId, outcome, code]
  const results = await db.batch<ChainPlace>([
    ...(no === 1 ? [db.prepare(BEGIN).bind(...behind, purgeAtMs)] : []),
    db.prepare(INSERT).bind(...behind, no, hash, atMs, actor, address, userAgent, ...what),
    db.prepare(MOVE_HEAD).bind(...behind, no, hash),
    db.prepare(HEAD).bind(chain),
  ])
  return results.at(-1)?.results[0] ?? null
}

/** A selection from a chain; null for all. */
export type EntryFilter = {
  actor: string | null
  object: string | null
  action: string | null
  fromMs: number | null
  toMs: number | null
}

/** Rows found, newest first, and where the stretch that was looked through ends; null at the chain's end. */
type ScannedEntries = { entries: AuditEntry[]; last: { no: number; atMs: number } | null }

const SCAN = `WITH stretch AS (SELECT * FROM audit_entry WHERE chain = ?1 AND no < ?2 ORDER BY no DESC LIMIT ?3)`
const MATCHES = `(?4 IS NULL OR actor = ?4) AND (?5 IS NULL OR object = ?5) AND (?6 IS NULL OR action = ?6)
AND (?7 IS NULL OR at_ms >= ?7) AND (?8 IS NULL OR at_ms <= ?8)`

/** Looks through the next `rowsMax` rows of a chain for at most `limit` that match. */
export async function scanEntries(
  db: D1Database,
  chain: string,
  scan: EntryFilter & { belowNo: number; rowsMax: number; limit: number },
): Promise<ScannedEntries> {
  const { belowNo, rowsMax, limit, actor, object, action, fromMs, toMs } = scan
  const values = [chain, belowNo, rowsMax, actor, object, action, fromMs, toMs]
  const [found, end] = await db.batch([
    db
      .prepare(`${SCAN} SELECT ${COLUMNS} FROM stretch WHERE ${MATCHES} ORDER BY no DESC LIMIT ?9`)
      .bind(...values, limit),
    db
      .prepare(`${SCAN} SELECT no, at_ms AS atMs FROM stretch ORDER BY no LIMIT 1`)
      .bind(chain, belowNo, rowsMax),
  ])
  const entries = (found?.results ?? []) as AuditEntry[]
  const [oldest] = (end?.results ?? []) as { no: number; atMs: number }[]
  return { entries, last: entries.length === limit ? (entries.at(-1) ?? null) : (oldest ?? null) }
}

/** A chain's ends: its newest row, and the newest that was removed because of its age. */
export type ChainEnds = { head: ChainPlace; purged: ChainPlace }

type EndsRow = { head_no: number; head_hash: string; purged_no: number; purged_hash: string }
const ENDS = 'SELECT head_no, head_hash, purged_no, purged_hash FROM audit_chain WHERE chain = ?1'
const endOf = (column: 'head_no' | 'purged_no') =>
  `coalesce((SELECT ${column} FROM audit_chain WHERE chain = ?1), 0)`
const ABOVE = `SELECT no, hash FROM audit_entry WHERE chain = ?1 AND no > ${endOf('head_no')} ORDER BY no DESC LIMIT 1`
const BELOW = `SELECT no, hash FROM audit_entry WHERE chain = ?1 AND no <= ${endOf('purged_no')} ORDER BY no DESC LIMIT 1`

function toEnds(row: EndsRow | undefined): ChainEnds | null {
  if (row === undefined) return null
  return {
    head: { no: row.head_no, hash: row.head_hash },
    purged: { no: row.purged_no, hash: row.purged_hash },
  }
}

/** The ends of a chain and a row outside of them, which no append has written; null for what there is not. */
export async function readEnds(
  db: D1Database,
  chain: string,
): Promise<{ ends: ChainEnds | null; stray: ChainPlace | null }> {
  const [ends, ...strays] = await db.batch([ENDS, ABOVE, BELOW].map((sql) => db.prepare(sql).bind(chain)))
  const [stray = null] = strays.flatMap(({ results }) => results as ChainPlace[])
  return { ends: toEnds(ends?.results[0] as EndsRow | undefined), stray }
}

/** Reads rows of a chain from a number down, newest first, with the chain's ends as they were at that moment. */
export async function readDown(
  db: D1Database,
  chain: string,
  { fromNo, limit }: { fromNo: number; limit: number },
): Promise<{ ends: ChainEnds | null; entries: AuditEntry[] }> {
  const [ends, rows] = await db.batch([
    db.prepare(ENDS).bind(chain),
    db
      .prepare(
        `SELECT ${COLUMNS} FROM audit_entry WHERE chain = ?1 AND no <= ?2 AND no > ${endOf('purged_no')} ORDER BY no DESC LIMIT ?3`,
      )
      .bind(chain, fromNo, limit),
  ])
  return {
    ends: toEnds(ends?.results[0] as EndsRow | undefined),
    entries: (rows?.results ?? []) as AuditEntry[],
  }
}

/** The rows that bear a number: one, unless another was put in. */
export async function readEntries(db: D1Database, chain: string, no: number): Promise<AuditEntry[]> {
  const { results } = await db
    .prepare(`SELECT ${COLUMNS} FROM audit_entry WHERE chain = ?1 AND no = ?2`)
    .bind(chain, no)
    .all<AuditEntry>()
  return results
}
