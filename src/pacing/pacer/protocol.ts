import { z } from 'zod'
import { type PacerTerms, rateLimitSchema } from '../settings.ts'

const count = z.int().nonnegative()
const timeMs = z.number().nonnegative()

/** Deliveries that wait for their batch: how many, their payloads' bytes together, and when the first was accepted. */
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

/** What a pacer is asked: see the members. Times are unix milliseconds. */
export const pacerCallSchema = z.strictObject({
  v: z.literal(1),
  subscriptionNo: count,
  /** The caller's clock. It decides; the pacer's own only sets its alarm, by the difference. */
  nowMs: timeMs,
  /** What the caller has read of the subscription; null: it has not. Terms of an older version than the known ones are ignored. */
  terms: pacerTermsSchema.nullable(),
  /** Deliveries that began to wait since, from a hint: may have been lost or doubled. */
  noted: waitingSchema.nullable(),
  /**
   * What waits in D1, exactly and unbound. `isDue`: something is due that waits for no flush, such as retries and
   * flushes asked for; without batching, anything that waits.
   */
  seen: z
    .strictObject({ events: count, bytes: count, sinceMs: timeMs.nullable(), isDue: z.boolean() })
    .nullable(),
  /** A grant that has been used, and how many of its requests were not needed. `seen` was then read after its claim. */
  finished: z.strictObject({ leaseId: z.string().min(1).max(100), unused: count }).nullable(),
  /** A grant that is still under way and needs no more than so many of its places. */
  keeps: z
    .strictObject({ leaseId: z.string().min(1).max(100), places: count })
    .nullable()
    .default(null),
  /** The most requests that the caller can have under way, of which a grant takes no more places; null: any number. */
  placesMax: z.int().positive().nullable().default(null),
  /** Whether the caller goes on with a grant; false: it only reports. */
  wants: z.boolean(),
  /** Names the grant this call may get. */
  leaseId: z.string().min(1).max(100),
})

export type PacerCall = z.infer<typeof pacerCallSchema>
/** See `pacerCallSchema`. */
export type Seen = NonNullable<PacerCall['seen']>

/** Which of what waits for its batch is to be bound: nothing, full batches only, or everything. */
export type Flush = 'none' | 'full' | 'all'
/** What made a flush due. */
export type FlushCause = 'count' | 'bytes' | 'wait'

const shards = z.int().positive()

/**
 * A pacer's answer; `shards` says over how many of the subscription's pacers callers should spread what they note.
 *
 * - `unknown`: it knows no terms and has counted nothing; call again with terms
 * - `rest`: nothing to do now. The pacer wakes somebody after `wakeInMs`; null: nothing is known to wait
 * - `go`: up to `requests` may be made, the first after `startInMs`, each `everyMs` after the one before (a fraction at
 *   times), both counted from the call's `nowMs`; no more than `places` of them at once, null: any number.
 *   `reuse`: nothing else is limited, so more may start as soon as a place is free
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
