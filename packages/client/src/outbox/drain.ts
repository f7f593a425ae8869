import { randomHex } from '../http/random.ts'
import { type Posthorn, PosthornError, type PublishResult, rejectionOf } from '../index.ts'
import type { OutboxRelayOptions } from './relay.ts'
import type { OutboxRow, OutboxStore } from './row.ts'

export type OutboxDeps = { store: OutboxStore; posthorn: Posthorn }

/** What one pass over the table did. */
export type Draining = {
  published: number
  rejected: number
  /** True where another relay loop has the lease. */
  isLeftToOther: boolean
}

/** A loop makes a failed pass again itself, so that it can be stopped between two attempts. */
export type DrainOptions = OutboxRelayOptions & { retries?: { maxRetries: number } }

const BATCH_ROWS = 100
/** Longer than a request with its retries may take; a loop that outlives its lease repeats events, and loses no order. */
const LEASE_MS = 60_000

/** Publishes the table until it is empty, with a lease of its own. */
export async function drain(deps: OutboxDeps, options: OutboxRelayOptions = {}): Promise<Draining> {
  const owner = randomHex()
  try {
    return await drainAs(owner, deps, options)
  } finally {
    await deps.store.release(owner)
  }
}

/**
 * Publishes the table, oldest first. A batch is sent only after each event before it is accepted, and every event has
 * an id: so the order holds even where two owners believe that they have the lease, and a repeated event is a duplicate.
 */
export async function drainAs(
  owner: string,
  { store, posthorn }: OutboxDeps,
  { batchRows = BATCH_ROWS, leaseMs = LEASE_MS, onRejected, signal, retries }: DrainOptions,
): Promise<Draining> {
  const done = { published: 0, rejected: 0 }
  while (!signal?.aborted) {
    // The table is read first, so that one that is empty costs no write.
    const rows = await store.oldest(batchRows)
    if (rows.length === 0) break
    const nowMs = Date.now()
    const isOwner = await store.lease({ owner, nowMs, untilMs: nowMs + leaseMs })
    if (!isOwner) return { ...done, isLeftToOther: true }
    const results = await posthorn.events.publishJson(
      rows.map(({ body }) => body),
      { haveIds: true, ...retries },
    )
    const ended = endedOf(rows, results)
    for (const { no, id, error } of ended.refused) {
      await store.reject({ no, reason: error.message })
      onRejected?.({ id, error })
    }
    if (ended.accepted.length > 0) await store.remove(ended.accepted)
    done.published += ended.accepted.length
    done.rejected += ended.refused.length
    if (ended.heldUp !== null) throw ended.heldUp
  }
  return { ...done, isLeftToOther: false }
}

type Refused = { no: number; id: string; error: PosthornError }
type Ended = { accepted: number[]; refused: Refused[]; heldUp: PosthornError | null }

/** Sorts rows by their results. A row that a limit of the relay holds up stays where it is. */
function endedOf(rows: readonly OutboxRow[], results: readonly PublishResult[]): Ended {
  const ended: Ended = { accepted: [], refused: [], heldUp: null }
  for (const [i, { no, id }] of rows.entries()) {
    const result = results[i]
    if (result === undefined)
      ended.heldUp ??= new PosthornError('unexpected_answer', 'An event has no result')
    else if (result.status !== 'rejected') ended.accepted.push(no)
    else if (result.error.code === 'rate_limited') ended.heldUp ??= rejectionOf(result)
    else ended.refused.push({ no, id, error: rejectionOf(result) })
  }
  return ended
}
