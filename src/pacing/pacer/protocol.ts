import * as z from 'zod'
import { type PacerTerms, rateLimitSchema } from '../settings.ts'

const count = z.int().nonnegative()
const timeMs = z.number().nonnegative()

/** Deliveries that wait for their batch; `sinceMs` is when the first was accepted. */
export type Waiting = { events: number; bytes: number; sinceMs: number }

/** `Waiting` as it is received or stored. */
export const waitingSchema: z.ZodType<Waiting> = z.strictObject({
  events: count,
  bytes: count,
  sinceMs: timeMs,
})

/** A pacer's terms as they are received or stored. */
export const pacerTermsSchema: z.ZodType<PacerTerms> = z.strictObject({
  version: count,
  batch: z
    .strictObject({
      maxEvents: z.int().positive(),
      maxBytes: z.int().positive(),
      maxWaitMs: z.int().positive(),
    })
    .nullable(),
  rate: rateLimitSchema.nullable(),
  concurrency: z.int().positive().nullable(),
})

const leaseId = z.string().min(1).max(100)

/** A call of a pacer as it travels; `PacerCall` explains the members. */
const wireCallSchema = z.strictObject({
  v: z.literal(1),
  subscriptionNo: count,
  nowMs: timeMs,
  terms: pacerTermsSchema.nullable(),
  noted: waitingSchema.nullable(),
  seen: z
    .strictObject({ events: count, bytes: count, sinceMs: timeMs.nullable(), isDue: z.boolean() })
    .nullable(),
  finished: z.strictObject({ leaseId, unused: count }).nullable(),
  keeps: z.strictObject({ leaseId, places: count }).nullable().default(null),
  placesMax: z.int().positive().nullable().default(null),
  wants: z.boolean(),
  leaseId,
})

/** Consumers and pacers of two deploys call each other, so the members keep their first names. */
export type WirePacerCall = z.infer<typeof wireCallSchema>

/** The deliveries that wait in D1 and are in no batch, counted exactly. */
export type CountedWaiting = {
  events: number
  bytes: number
  sinceMs: number | null
  /** Something is due that waits for no flush, such as a retry; without batching, anything is. */
  isDue: boolean
}

/** One call of a pacer. Times are unix milliseconds. */
export type PacerCall = {
  subscriptionNo: number
  /** The caller's clock decides; the pacer's own only sets its alarm, by the difference. */
  nowMs: number
  /** Null when the caller has not read them. Terms older than the known ones are ignored. */
  terms: PacerTerms | null
  /** Deliveries that a hint says have begun to wait; hints may be lost or doubled. */
  arrived: Waiting | null
  /** Null when the caller has not looked in D1. */
  waiting: CountedWaiting | null
  /** A used grant, and its requests that were not needed. `waiting` was read after its claim. */
  finished: { leaseId: string; unused: number } | null
  /** A grant under way that needs no more than so many of its permits. */
  keepsPermits: { leaseId: string; permits: number } | null
  /** Requests that the caller can have under way: its grant takes no more permits. Null: any. */
  permitsMax: number | null
  /** False when the caller only reports and takes no grant. */
  wantsMore: boolean
  /** Names the grant that this call may get. */
  leaseId: string
}

/** Reads a call that has travelled. */
export const pacerCallSchema = wireCallSchema.transform(
  ({ v: _, noted, seen, keeps, placesMax, wants, ...same }): PacerCall => ({
    ...same,
    arrived: noted,
    waiting: seen,
    keepsPermits: keeps && { leaseId: keeps.leaseId, permits: keeps.places },
    permitsMax: placesMax,
    wantsMore: wants,
  }),
)

/** Writes a call for its travel. */
export function toWireCall(call: PacerCall): WirePacerCall {
  const { arrived, waiting, keepsPermits, permitsMax, wantsMore, ...same } = call
  return {
    v: 1,
    ...same,
    noted: arrived,
    seen: waiting,
    keeps: keepsPermits && { leaseId: keepsPermits.leaseId, places: keepsPermits.permits },
    placesMax: permitsMax,
    wants: wantsMore,
  }
}

/** The deliveries that are to be put into batches now: none, those that fill batches, or all. */
export type Flush = 'none' | 'full' | 'all'
/** The reason why a flush is due. */
export type FlushCause = 'count' | 'bytes' | 'wait'

const shards = z.int().positive()

/**
 * A pacer's answer, on the wire as in the code. Callers spread arrivals over `shards` pacers.
 *
 * - `unknown`: the pacer has no terms and has counted nothing; the caller repeats its call with terms.
 * - `rest`: there is nothing to do now. The pacer sends a hint after `wakeInMs`; null: nothing waits.
 * - `go`: a grant of `requests`, the first after `startInMs`, the others `everyMs` apart (fractions
 *   occur), counted from the call's `nowMs`; `places` is the number of its permits, null: any number.
 *   `reuse`: nothing but permits is limited, so a permit that is released may be used again.
 */
export const pacerReplySchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('unknown') }),
  z.strictObject({ kind: z.literal('rest'), wakeInMs: timeMs.nullable(), shards }),
  z.strictObject({
    kind: z.literal('go'),
    leaseId: z.string(),
    requests: z.int().positive(),
    places: z.int().positive().nullable().default(null),
    reuse: z.boolean().default(false),
    startInMs: timeMs,
    everyMs: timeMs,
    flush: z.enum(['none', 'full', 'all']),
    cause: z.enum(['count', 'bytes', 'wait']).nullable(),
    shards,
  }),
])

export type PacerReply = z.infer<typeof pacerReplySchema>
