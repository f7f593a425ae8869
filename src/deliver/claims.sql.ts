import * as z from 'zod'
import { SEQ_BITS } from '../base/ids/seq.ts'
import { PAYLOAD_KINDS, type Pair, type StoredEvent } from '../model/delivery.ts'
import { BREAKER_FAULTS_MIN } from '../receiver/breaker.ts'
import { EVENT_COLUMNS, type EventRow, toStoredEvent } from '../store/event-row.sql.ts'
import { heldUntil, PAYLOAD } from '../store/states.sql.ts'
import { type SubscriptionRow, toSubscription } from '../subscription/row.ts'
import type { Subscription } from '../subscription/subscription.ts'
import { SUBSCRIPTION_COLUMNS, WITH_WORKSPACE } from '../subscription/subscriptions.sql.ts'
import type { ClaimedRow } from './attempt/claimed-delivery.ts'
import { pairsText } from './settle/settle.sql.ts'

/** Pairs that one consumer has in hand: no other attempts them until it settles or the claim expires. */
export type Claim = {
  id: string
  pairs: Pair[]
  events: StoredEvent[]
  subscriptions: Subscription[]
  /** Attempts already recorded, by pair; only pairs that have a row. */
  rows: ClaimedRow[]
}
// One set for all live claims: compared pair by pair it would be read again for each candidate. Those of paced subscriptions
// may be large, and matter only where one of these is looked at; so do claims whose pairs are all below or above the own.
const livePairs = (paced: string, apart: string) =>
  `FROM claim c INDEXED BY claim_live, json_each(c.pairs) l WHERE c.live = 1 AND c.expires_at_ms > ?3 AND (c.paced_no IS NULL${paced}) AND NOT coalesce(${apart}, 0)`
const inLiveClaims = (paced: string, apart: string) =>
  `SELECT l.value ->> 0, l.value ->> 1 ${livePairs(paced, apart)}`
const AMONG_DUE = ' OR c.paced_no IN (SELECT value FROM json_each(?4))'
const APART_FROM_PAIRS = '(c.sub_max < ?5 OR c.sub_min > ?6 OR c.seq_max < ?7 OR c.seq_min > ?8)'
const APART_FROM_DUE = '(c.sub_max < ?9 OR c.sub_min > ?10)'
const APART_FROM_ONE = '(c.sub_max < ?4 OR c.sub_min > ?4 OR c.seq_max < ?5 OR c.seq_min > ?5)'

const INSERT_CLAIM = `INSERT INTO claim (id, expires_at_ms, pairs, sub_min, sub_max, seq_min, seq_max)
SELECT ?1, ?2, json_group_array(json_array(sub, seq, ws)), min(sub), max(sub), min(seq), max(seq) FROM`

/** A bound limit as an expression: SQLite plans a statement anew for each value of a parameter that is one as it stands. */
export const plannedOnce = (parameter: number) => `(?${parameter} + 0)`

// Named pairs are looked up one by one; doubled hints name some twice. A paced claim's deliveries have rows.
const CLAIM_PAIRS = `${INSERT_CLAIM} (
  SELECT DISTINCT p.value ->> 0 AS sub, p.value ->> 1 AS seq, p.value ->> 2 AS ws FROM json_each(?4) p
  WHERE NOT EXISTS (SELECT 1 FROM delivery d WHERE d.subscription_no = p.value ->> 0 AND d.seq = p.value ->> 1)
    AND (p.value ->> 0, p.value ->> 1) NOT IN (${inLiveClaims('', APART_FROM_PAIRS)})) HAVING count(*) > 0`

// Takes up to ?6 due rows of each subscription, so that one with thousands due does not crowd out the others. While a
// breaker is half-open, a live claim may be making its one probe: no other claim takes of the same subscription then.
const claimDueFrom = (index: string, crashed: string) => `${INSERT_CLAIM} (
  SELECT d.subscription_no AS sub, d.seq, s.workspace_no AS ws
  FROM json_each(?4) u
  JOIN subscription s ON s.no = u.value AND s.pacing_level = 0 AND s.paused_at_ms IS NULL AND s.throttled_until_ms <= ?3 AND (s.faults_in_row < ${BREAKER_FAULTS_MIN} OR (s.held_until_ms <= ?3 AND s.no NOT IN (SELECT l.value ->> 0 ${livePairs(AMONG_DUE, APART_FROM_DUE)})))
  JOIN delivery d ON d.subscription_no = u.value AND d.seq IN (
    SELECT x.seq FROM delivery x INDEXED BY ${index}
    WHERE x.subscription_no = u.value AND ${crashed}x.due_at_ms <= ?3 AND x.crashes BETWEEN ?7 AND ?8
      AND (x.subscription_no, x.seq) NOT IN (${inLiveClaims(AMONG_DUE, APART_FROM_DUE)})
    ORDER BY x.due_at_ms LIMIT ${plannedOnce(6)})
  LIMIT ${plannedOnce(5)}) HAVING count(*) > 0`

const CLAIM_DUE = claimDueFrom('delivery_due', '')
const CLAIM_DUE_CRASHED = claimDueFrom('delivery_crashed', 'x.crashes > 0 AND ')

const CLAIM_ONE = `${INSERT_CLAIM} (
  SELECT d.subscription_no AS sub, d.seq, s.workspace_no AS ws FROM delivery d JOIN subscription s ON s.no = d.subscription_no
  WHERE d.subscription_no = ?4 AND d.seq = ?5 AND d.due_at_ms IS NOT NULL AND (d.subscription_no, d.seq) NOT IN (${inLiveClaims(' OR c.paced_no = ?4', APART_FROM_ONE)})
) HAVING count(*) > 0`

/** The pairs claimed under ?1, and the rows that a consumer reads with them. */
export const READ_PAIRS = 'SELECT pairs FROM claim WHERE id = ?1'
export const READ_EVENTS = `SELECT ${EVENT_COLUMNS}, e.body, e.body_key
FROM event e WHERE e.pk IN (SELECT ((p.value ->> 2) << ${SEQ_BITS}) | (p.value ->> 1) FROM claim c, json_each(c.pairs) p WHERE c.id = ?1)`
const READ_SUBSCRIPTIONS = `SELECT ${SUBSCRIPTION_COLUMNS} FROM subscription s ${WITH_WORKSPACE}
WHERE s.no IN (SELECT p.value ->> 0 FROM claim c, json_each(c.pairs) p WHERE c.id = ?1)`
export const READ_ROWS = `SELECT d.subscription_no, d.seq, d.attempts, d.payload, d.replay_base, d.order_key, d.crashes, r.id AS replay_id, k.content_type, k.body, k.body_key FROM claim c, json_each(c.pairs) p
JOIN delivery d ON d.subscription_no = p.value ->> 0 AND d.seq = p.value ->> 1
LEFT JOIN kept_body k ON d.payload = ${PAYLOAD.kept} AND k.subscription_no = d.subscription_no AND k.seq = d.seq
LEFT JOIN replay r ON r.no = d.replay_no WHERE c.id = ?1`
// Held deliveries are due when the hold ends, paused ones never.
const READ_NEXT_DUE = `SELECT u.value AS no, s.pacing_level, s.paused_at_ms AS paused, ${heldUntil('s')} AS held,
  EXISTS (SELECT 1 FROM delivery d INDEXED BY delivery_due WHERE d.subscription_no = u.value AND d.due_at_ms <= ?2) AS overdue,
  (SELECT min(d.due_at_ms) FROM delivery d INDEXED BY delivery_due
  WHERE d.subscription_no = u.value AND d.due_at_ms > ?2) AS due,
  EXISTS (SELECT 1 FROM delivery d INDEXED BY delivery_crashed
    WHERE d.subscription_no = u.value AND d.crashes > 0 AND d.due_at_ms <= ?2) AS troubled FROM json_each(?1) u JOIN subscription s ON s.no = u.value`
const RELEASE = "UPDATE claim SET pairs = ?2, live = (?2 <> '[]') WHERE id = ?1 AND live = 1"

/** A claim's pairs as stored: subscription, sequence number, workspace. */
const pairsSchema = z.array(
  z
    .tuple([z.number(), z.number(), z.number()])
    .transform(([subscriptionNo, seq, workspaceNo]): Pair => ({ subscriptionNo, seq, workspaceNo })),
)

/** Who claims, until when, and how much. */
export type ClaimTerms = { id: string; nowMs: number; expiresAtMs: number; pairsMax: number }

/** Claims first attempts: of the named pairs those without a row that are in no other live claim. Null when there are none. */
export async function claimPairs(
  db: D1Database,
  { id, nowMs, expiresAtMs }: Omit<ClaimTerms, 'pairsMax'>,
  candidates: readonly Pair[],
): Promise<Claim | null> {
  const list = pairsText(candidates)
  const [, pairs, events, subscriptions] = await orGiveUp(
    db,
    id,
    db.batch([
      db.prepare(CLAIM_PAIRS).bind(id, expiresAtMs, nowMs, list, ...boundsOf(candidates)),
      ...[READ_PAIRS, READ_EVENTS, READ_SUBSCRIPTIONS].map((sql) => db.prepare(sql).bind(id)),
    ]),
  )
  return toClaim(id, pairs, events, subscriptions, undefined)
}

/** The smallest and largest subscription, then sequence number. */
function boundsOf(pairs: readonly Pair[]): number[] {
  return [...rangeOf(pairs.map((pair) => pair.subscriptionNo)), ...rangeOf(pairs.map(({ seq }) => seq))]
}

function rangeOf(numbers: readonly number[]): [number, number] {
  return [Math.min(...numbers), Math.max(...numbers)]
}

/** Which due rows to take: how many of each subscription, and of which number of consumer crashes. */
export type DueTerms = { perSubscription: number; crashesMin: number; crashesMax: number }

function dueBinds({ perSubscription, crashesMin, crashesMax }: DueTerms): number[] {
  return [perSubscription, crashesMin, crashesMax]
}

/** A claim of due rows; when each subscription has more to do; and whether some due rows have cost a consumer its life. */
export type DueClaim = {
  claim: Claim | null
  nextDueMs: Map<number, number>
  hasPoison: boolean
  /** Those of the subscriptions that are paced: what is due to them is for another consumer. */
  pacedNos: number[]
}

/** Claims rows that are due for some subscriptions. */
export async function claimDue(
  db: D1Database,
  terms: ClaimTerms,
  due: DueTerms,
  subscriptionNos: readonly number[],
): Promise<DueClaim> {
  const list = JSON.stringify(subscriptionNos)
  const { id, expiresAtMs, nowMs, pairsMax } = terms
  const [, pairs, events, subscriptions, rows, next] = await orGiveUp(
    db,
    id,
    db.batch([
      db
        .prepare(due.crashesMin > 0 ? CLAIM_DUE_CRASHED : CLAIM_DUE)
        .bind(id, expiresAtMs, nowMs, list, pairsMax, ...dueBinds(due), ...rangeOf(subscriptionNos)),
      ...[READ_PAIRS, READ_EVENTS, READ_SUBSCRIPTIONS, READ_ROWS].map((sql) => db.prepare(sql).bind(id)),
      db.prepare(READ_NEXT_DUE).bind(list, nowMs),
    ]),
  )
  const allRows = (next?.results ?? []) as NextDueRow[]
  const nextRows = allRows.filter((row) => row.pacing_level === 0)
  return {
    pacedNos: allRows.flatMap((row) => (row.pacing_level === 0 ? [] : [row.no])),
    claim: toClaim(id, pairs, events, subscriptions, rows),
    nextDueMs: new Map(nextRows.flatMap((row) => nextDueOf(row, nowMs))),
    hasPoison: nextRows.some((row) => row.troubled === 1 && row.paused === null && row.held <= nowMs),
  }
}

type NextDueRow = {
  no: number
  pacing_level: number
  paused: number | null
  held: number
  overdue: number
  due: number | null
  troubled: number
}

function nextDueOf({ no, paused, held, overdue, due }: NextDueRow, nowMs: number): [number, number][] {
  if (paused !== null) return []
  const isHeld = held > nowMs
  const earliestMs = isHeld && overdue === 1 ? held : due
  return earliestMs === null ? [] : [[no, isHeld ? Math.max(earliestMs, held) : earliestMs]]
}

/** Claims one delivery that a person requested, past every hold; null when it is not due, or in hand. */
export async function claimDelivery(
  db: D1Database,
  terms: ClaimTerms,
  pair: { subscriptionNo: number; seq: number },
): Promise<Claim | null> {
  const { id, expiresAtMs, nowMs } = terms
  const [, pairs, events, subscriptions, rows] = await orGiveUp(
    db,
    id,
    db.batch([
      db.prepare(CLAIM_ONE).bind(id, expiresAtMs, nowMs, pair.subscriptionNo, pair.seq),
      ...[READ_PAIRS, READ_EVENTS, READ_SUBSCRIPTIONS, READ_ROWS].map((sql) => db.prepare(sql).bind(id)),
    ]),
  )
  return toClaim(id, pairs, events, subscriptions, rows)
}

/** Gives up a claim whose statement failed: it may have been written all the same. */
export async function orGiveUp<T>(db: D1Database, claimId: string, claiming: Promise<T>): Promise<T> {
  try {
    return await claiming
  } catch (error) {
    await giveUpClaim(db, claimId)
    throw error
  }
}

/** Reads a claim from the results of its statements; null when nothing was claimed. */
export function toClaim(
  id: string,
  pairs: D1Result | undefined,
  events: D1Result | undefined,
  subscriptions: D1Result | undefined,
  rows: D1Result | undefined,
): Claim | null {
  const row = pairs?.results[0] as { pairs: string } | undefined
  if (row === undefined) return null
  return {
    id,
    pairs: pairsSchema.parse(JSON.parse(row.pairs)),
    events: ((events?.results ?? []) as EventRow[]).map(toStoredEvent),
    subscriptions: ((subscriptions?.results ?? []) as SubscriptionRow[]).map(toSubscription),
    rows: ((rows?.results ?? []) as Row[]).map(toClaimedRow),
  }
}

type Row = {
  subscription_no: number
  seq: number
  attempts: number
  payload: number
  replay_base: number
  replay_id: string | null
  order_key: string | null
  crashes: number
  content_type: string | null
  body: string | null
  body_key: string | null
}

function toClaimedRow(row: Row): ClaimedRow {
  const { content_type: contentType, body, body_key: bodyKey } = row
  return {
    subscriptionNo: row.subscription_no,
    seq: row.seq,
    attempts: row.attempts,
    payload: PAYLOAD_KINDS[row.payload] ?? 'none',
    kept: contentType === null ? null : { contentType, body, bodyKey },
    replayBase: row.replay_base,
    replayId: row.replay_id,
    orderKey: row.order_key ?? '',
    crashes: row.crashes,
  }
}

/** Gives up pairs of a claim, so that another consumer may take them at once; `kept` are those it goes on with. */
export function releaseStatement(
  db: D1Database,
  claimId: string,
  kept: readonly Pair[],
): D1PreparedStatement {
  return db.prepare(RELEASE).bind(claimId, pairsText(kept))
}

/**
 * Gives up a claim whose consumer cannot go on, so that the hint's next delivery finds the pairs free. A call that D1
 * failed to answer may have claimed them all the same. When this fails too, the claim expires by itself.
 */
export async function giveUpClaim(db: D1Database, claimId: string): Promise<void> {
  try {
    await releaseStatement(db, claimId, []).run()
  } catch {
    // The failure that led here is the one to report; the lease bounds what this one costs.
  }
}
