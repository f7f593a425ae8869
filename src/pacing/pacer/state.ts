import { z } from 'zod'
import { parseJsonOrNull } from '../../base/json/value.ts'
import type { PacerTerms } from '../settings.ts'
import { pacerTermsSchema, type Waiting, waitingSchema } from './protocol.ts'
import { NO_LOAD, type PacerLoad } from './shards.ts'

/** A grant is over after this time although nobody has reported: longer than any consumer takes for its requests. */
export const LEASE_MS = 95_000
/** Leases kept at most; as many as the highest `concurrency`, so that one under way is never forgotten. */
const LEASES_MAX = 100

/** A grant under way. */
export type Lease = {
  id: string
  requests: number
  /** How many of them may be under way at once, which count against `concurrency` until the grant is finished. */
  places: number
  endsAtMs: number
  /** Its slots: the limiter's arrival time after them, and the last one's start; null where none can be given back. */
  slots: { tatMs: number; lastMs: number } | null
  /** What was noted since: what its consumer counts in D1 may not hold it. */
  noted: Waiting | null
  /** Whether something has become due since, likewise. */
  isOwed: boolean
}

/** Everything a pacer knows of one subscription; plain data. It may forget all of it: D1 holds the truth. */
export type PacerState = {
  subscriptionNo: number
  terms: PacerTerms | null
  /** What is known to wait: for its batch, or without batching for its turn. */
  buffer: Waiting | null
  /** Something may be due that the buffer does not count, such as retries, or what an unfinished grant has left. */
  isOwed: boolean
  tatMs: number
  leases: Lease[]
  /** Grants in a row that carried nothing, although something was said to wait. */
  fruitless: number
  load: PacerLoad
}

const count = z.int().nonnegative()

const storedSchema = z.strictObject({
  v: z.literal(1),
  subscriptionNo: z.int().nonnegative(),
  terms: pacerTermsSchema.nullable(),
  buffer: waitingSchema.nullable(),
  isOwed: z.boolean(),
  tatMs: z.number().nonnegative(),
  leases: z.array(
    z.strictObject({
      id: z.string(),
      requests: z.int().positive(),
      places: count.optional(),
      endsAtMs: z.number(),
      slots: z.strictObject({ tatMs: z.number(), lastMs: z.number() }).nullable(),
      noted: waitingSchema.nullable(),
      isOwed: z.boolean(),
    }),
  ),
  fruitless: z.int().nonnegative(),
})

/** A pacer that knows nothing. */
export function newPacerState(): PacerState {
  return {
    subscriptionNo: 0,
    terms: null,
    buffer: null,
    isOwed: false,
    tatMs: 0,
    leases: [],
    fruitless: 0,
    load: NO_LOAD,
  }
}

/** The text that is stored: everything but the load, which changes with each call and is soon learnt again. */
export function storePacerState({ load: _, ...state }: PacerState): string {
  return JSON.stringify({ v: 1, ...state })
}

/** What a stored text says; null when it is unreadable or of a newer form. */
export function readPacerState(text: string): PacerState | null {
  const parsed = storedSchema.safeParse(parseJsonOrNull(text))
  if (!parsed.success) return null
  const { v: _, ...state } = parsed.data
  return { ...state, leases: state.leases.map(withPlaces), load: NO_LOAD }
}

/** Earlier forms had a place for each request. */
function withPlaces(lease: Omit<Lease, 'places'> & { places?: number | undefined }): Lease {
  return { ...lease, places: lease.places ?? lease.requests }
}

/** What a pacer keeps when it has left its work to somebody else: the terms, so that it need not ask for them. */
export function emptied({ subscriptionNo, terms, tatMs, load }: PacerState): PacerState {
  return { ...newPacerState(), subscriptionNo, terms, tatMs, load }
}

/** Whether anything is known to wait or to be under way. */
export function isIdle({ buffer, isOwed, leases }: PacerState): boolean {
  return buffer === null && !isOwed && leases.length === 0
}

/** Adds a lease; the oldest are forgotten beyond the bound. */
export function withLease(leases: readonly Lease[], lease: Lease): Lease[] {
  return [...leases, lease].slice(-LEASES_MAX)
}

/** Places that are taken: as many requests may be under way. */
export function underWay(leases: readonly Lease[]): number {
  return leases.reduce((sum, { places }) => sum + places, 0)
}

/** Two counts of what waits as one. */
export function addWaiting(one: Waiting | null, other: Waiting | null): Waiting | null {
  if (one === null) return other
  if (other === null) return one
  return {
    events: one.events + other.events,
    bytes: one.bytes + other.bytes,
    sinceMs: Math.min(one.sinceMs, other.sinceMs),
  }
}
