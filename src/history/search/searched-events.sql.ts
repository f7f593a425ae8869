import { SEQ_BITS, SEQ_MAX } from '../../base/ids/seq.ts'

/** A stretch of a workspace's events, from `minSeq` to `maxSeq`, newest first. */
export type SearchStretch = {
  workspaceNo: number
  minSeq: number
  maxSeq: number
  /** A type, or a pattern of types. */
  type: string | null
  acceptedFromMs: number | null
  acceptedToMs: number | null
  /** Only events that one of these subscriptions wanted; null for all. */
  subscriptionNos: readonly number[] | null
}

/** Events, and bytes of their payloads, that are looked through at once. */
const ROWS_MAX = 2_000
const BYTES_MAX = 8_000_000

const STRETCH = `e.pk >= (?1 << ${SEQ_BITS}) | ?2 AND e.pk <= (?1 << ${SEQ_BITS}) | ?3`
const SIZES = `SELECT e.pk & ${SEQ_MAX} AS seq, coalesce(octet_length(e.body), 0) AS bytes FROM event e WHERE ${STRETCH} ORDER BY e.pk DESC LIMIT ${ROWS_MAX}`

/** Reads how far down a stretch can be looked through at once; null where that is all of it. */
export async function searchedDownTo(
  db: D1Database,
  { workspaceNo, minSeq, maxSeq }: Pick<SearchStretch, 'workspaceNo' | 'minSeq' | 'maxSeq'>,
): Promise<number | null> {
  const { results } = await db
    .prepare(SIZES)
    .bind(workspaceNo, minSeq, maxSeq)
    .all<{ seq: number; bytes: number }>()
  let bytes = 0
  const cut = results.find((row) => {
    bytes += row.bytes
    return bytes > BYTES_MAX
  })
  return cut?.seq ?? (results.length < ROWS_MAX ? null : (results.at(-1)?.seq ?? null))
}

/** An event that may hold what is searched for. A large payload is in R2, under `bodyKey`. */
export type Candidate = {
  seq: number
  type: string
  ownId: string | null
  body: string | null
  bodyKey: string | null
}

const IS_WANTED = `(?4 IS NULL OR e.type GLOB ?4) AND (?5 IS NULL OR e.accepted_at_ms >= ?5) AND (?6 IS NULL OR e.accepted_at_ms <= ?6)
  AND (?7 IS NULL OR EXISTS (SELECT 1 FROM json_each(e.fanout) f WHERE abs(f.value) IN (SELECT value FROM json_each(?7))))`
const HOLDS = {
  text: 'EXISTS (SELECT 1 FROM json_each(?8) n WHERE instr(lower(e.body), lower(n.value)) > 0)',
  value: 'EXISTS (SELECT 1 FROM json_each(?8) n WHERE instr(e.body, n.value) > 0)',
} as const

/** Finds the events of a stretch whose payloads hold one of some texts, or are in R2; newest first, at most `limit`. */
export async function findCandidates(
  db: D1Database,
  stretch: SearchStretch,
  { kind, needles, limit }: { kind: keyof typeof HOLDS; needles: readonly string[]; limit: number },
): Promise<Candidate[]> {
  // A value is looked for in the payload, a text has been found in it.
  const body = kind === 'value' ? 'e.body' : 'NULL'
  const { results } = await db
    .prepare(
      `SELECT e.pk & ${SEQ_MAX} AS seq, e.type, e.own_id AS ownId, ${body} AS body, e.body_key AS bodyKey FROM event e
       WHERE ${STRETCH} AND ${IS_WANTED} AND (e.body_key IS NOT NULL OR ${HOLDS[kind]}) ORDER BY e.pk DESC LIMIT ?9`,
    )
    .bind(
      stretch.workspaceNo,
      stretch.minSeq,
      stretch.maxSeq,
      stretch.type,
      stretch.acceptedFromMs,
      stretch.acceptedToMs,
      stretch.subscriptionNos === null ? null : JSON.stringify(stretch.subscriptionNos),
      JSON.stringify(needles),
      limit,
    )
    .all<Candidate>()
  return results
}
