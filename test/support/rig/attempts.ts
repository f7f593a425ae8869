import { env } from 'cloudflare:workers'
import type { AttemptRecord } from '../../../src/deliver/attempt/attempt.ts'
import { type Claim, claimPairs } from '../../../src/deliver/claims.sql.ts'
import { owedPairs } from '../../../src/deliver/owed.sql.ts'
import type { Settlement } from '../../../src/deliver/settle/settle.sql.ts'
import { addCounters, type Counters, emptyCounters, latencyBucket } from '../../../src/history/counters.ts'
import type { Pair } from '../../../src/model/delivery.ts'
import { START_MS } from './builders.ts'

/** An attempt's outcome: a fast success unless told otherwise. */
export function record(
  pair: { subscriptionNo: number; seq: number },
  change: Partial<AttemptRecord> = {},
): AttemptRecord {
  const { subscriptionNo, seq } = pair
  return {
    ...{
      subscriptionNo,
      seq,
      type: 'invoice.paid',
      isTest: false,
      attemptNo: 1,
      success: true,
      dueAtMs: null,
    },
    ...{ atMs: START_MS, status: 200, error: null, latencyMs: 7, response: 'ok', detail: null },
    ...{ payload: 'none', kept: null, batchNo: null, isCounted: true },
    ...change,
  }
}

/** The outcome of an attempt that failed, with the next one due at a time. */
export function failure(
  pair: { subscriptionNo: number; seq: number },
  attemptNo: number,
  dueAtMs: number | null,
): AttemptRecord {
  return record(pair, {
    attemptNo,
    success: false,
    dueAtMs,
    status: 500,
    error: 'http_status',
    response: `no ${attemptNo}`,
  })
}

/** The one part in which a claim's outcomes are recorded. */
export function settlement(claimId: string, attempts: AttemptRecord[]): Settlement {
  return {
    claimId,
    part: 0,
    last: true,
    kept: null,
    attempts,
    waiting: [],
    defers: [],
    skips: [],
    batches: [],
    receiverChanges: [],
  }
}

/** The deliveries that a workspace's events are owed to, claimed and made ones too. */
export async function allOwed(workspaceNo: number): Promise<Pair[]> {
  const range = { workspaceNo, firstSeq: 0, lastSeq: 2 ** 44 - 1, subscriptions: null }
  const pairs: Pair[] = []
  for await (const some of owedPairs(env.DB, range)) pairs.push(...some)
  return pairs
}

/** Claims every first attempt of a workspace that nobody has in hand. */
export async function claimAll(
  workspaceNo: number,
  id: string,
  { nowMs = START_MS, leaseMs = 90_000, pairsMax = 100 } = {},
): Promise<Claim | null> {
  const lease = { id, nowMs, expiresAtMs: nowMs + leaseMs }
  const pairs = await allOwed(workspaceNo)
  return await claimPairs(env.DB, lease, pairs.slice(0, pairsMax))
}

/** Every row of a table, in a stable order. */
export async function rowsOf(table: string): Promise<Record<string, unknown>[]> {
  return (await env.DB.prepare(`SELECT * FROM ${table} ORDER BY 1, 2, 3`).all()).results
}

/** What counters must come to for outcomes that each apply once. */
export function naiveCounters(records: readonly AttemptRecord[]): Counters {
  return records
    .filter(({ isTest }) => !isTest)
    .map((r): Counters => {
      const histogram = emptyCounters().histogram.map((_, bucket) =>
        r.status !== null && latencyBucket(r.latencyMs) === bucket ? 1 : 0,
      )
      return {
        delivered: r.success ? 1 : 0,
        failed: !r.success && r.dueAtMs === null ? 1 : 0,
        attempts: r.status === null ? 0 : 1,
        latencySumMs: r.status === null ? 0 : r.latencyMs,
        lastDeliveryAtMs: r.success ? r.atMs : 0,
        histogram,
      }
    })
    .reduce(addCounters, emptyCounters())
}
