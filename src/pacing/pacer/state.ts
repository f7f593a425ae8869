import * as z from 'zod'
import { parseJsonOrNull } from '../../base/json/value.ts'
import type { PacerTerms } from '../settings.ts'
import { pacerTermsSchema, type Waiting, waitingSchema } from './protocol.ts'
import { NO_LOAD, type PacerLoad } from './shards.ts'

/** A grant that was not reported is over after this time, which is longer than any consumer takes. */
export const LEASE_MS = 95_000
/** Leases kept: as many as the highest `concurrency`, so that none under way is forgotten. */
const LEASES_MAX = 100

/** A grant under way. */
export type Lease = {
  id: string
  requests: number
  /** Permits of the grant, which count against `concurrency` until it is finished. */
  places: number
  endsAtMs: number
  /** The arrival time after its slots, and the last one's start; null: none can be given back. */
  slots: { tatMs: number; lastMs: number } | null
  /** Deliveries that arrived since: the consumer's count of D1 may lack them. */
  noted: Waiting | null
  /** Something has become due since, likewise. */
  isOwed: boolean
}

/** Everything that a pacer knows of one subscription. It may forget all of it: D1 holds the truth. */
export type PacerState = {
  subscriptionNo: number
  terms: PacerTerms | null
  /** Deliveries that are known to wait for their batch, or without batching for a request. */
  buffer: Waiting | null
  /** Something may be due that the buffer does not count, such as a retry. */
  isOwed: boolean
  tatMs: number
  leases: Lease[]
  /** Grants in a row that carried nothing, although something was said to wait. */
  fruitless: number
  load: PacerLoad
}

/** A pacer that knows its terms. */
export type TermedState = PacerState & { terms: PacerTerms }

const count = z.int().nonnegative()

/** The stored members keep their first names: objects of every earlier deploy have some stored. */
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

/** The state of a pacer that knows nothing. */
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

/** The text to store: all but the load, which is soon learnt again. */
export function storePacerState({ load: _, ...state }: PacerState): string {
  return JSON.stringify({ v: 1, ...state })
}

/** Reads a stored text; null when it is unreadable or of a newer form. */
export function readPacerState(text: string): PacerState | null {
  const parsed = storedSchema.safeParse(parseJsonOrNull(text))
  if (!parsed.success) return null
  const { v: _, ...state } = parsed.data
  return { ...state, leases: state.leases.map(withPlaces), load: NO_LOAD }
}

/** Earlier forms had a permit for each request. */
function withPlaces(lease: Omit<Lease, 'places'> & { places?: number | undefined }): Lease {
  return { ...lease, places: lease.places ?? lease.requests }
}

/** A pacer that has left its work to another one keeps the terms, so that it need not ask for them. */
export function emptied({ subscriptionNo, terms, tatMs, load }: PacerState): PacerState {
  return { ...newPacerState(), subscriptionNo, terms, tatMs, load }
}

/** True when nothing is known to wait or to be under way. */
export function isIdle({ buffer, isOwed, leases }: PacerState): boolean {
  return buffer === null && !isOwed && leases.length === 0
}

/** Adds a lease; the oldest are forgotten beyond the bound. */
export function withLease(leases: readonly Lease[], lease: Lease): Lease[] {
  return [...leases, lease].slice(-LEASES_MAX)
}

/** Permits that are taken: as many requests may be under way. */
export function permitsTaken(leases: readonly Lease[]): number {
  return leases.reduce((sum, { places }) => sum + places, 0)
}

/** Adds two counts of waiting deliveries. */
export function addWaiting(one: Waiting | null, other: Waiting | null): Waiting | null {
  if (one === null) return other
  if (other === null) return one
  return {
    events: one.events + other.events,
    bytes: one.bytes + other.bytes,
    sinceMs: Math.min(one.sinceMs, other.sinceMs),
  }
}
