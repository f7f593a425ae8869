import type { PacerTerms } from '../settings.ts'
import { type Demand, demandOf, isReusing, remaining, requestsMax } from './demand.ts'
import type { PacerCall, PacerReply } from './protocol.ts'
import { bucketOf, HORIZON_MS, HORIZON_WITH_PERMITS_MS, handOut, type Slots } from './rate.ts'
import { LEASE_MS, type Lease, permitsTaken, type TermedState, withLease } from './state.ts'

/** The terms of a grant, without its names. */
type Go = Omit<Extract<PacerReply, { kind: 'go' }>, 'kind' | 'leaseId' | 'shards'>

/** Grants as many requests as demand, permits and slots allow; null: none. */
export function giveGrant(state: TermedState, call: PacerCall): { state: TermedState; go: Go } | null {
  const demand = demandOf(state, call.nowMs)
  if (demand === null) return null
  const permits = permitsFor(state, call)
  if (permits < 1) return null
  const wanted = Math.min(demand.requests, requestsMax(state.terms, permits))
  const slots = slotsFor(state, call.nowMs, { wanted, permits })
  if (slots === null) return null
  const lease = leaseOf(state, call, { slots, permits })
  const { requests, startInMs, everyMs } = slots
  return {
    go: {
      requests,
      places: state.terms.concurrency === null ? null : lease.places,
      reuse: isReusing(state.terms),
      startInMs,
      everyMs,
      flush: demand.flush,
      cause: demand.cause,
    },
    state: {
      ...state,
      buffer: remaining(state.buffer, demand, requests),
      isOwed: state.isOwed && isOwedStill(state.terms, demand, requests),
      tatMs: slots.tatMs,
      leases: withLease(state.leases, lease),
    },
  }
}

/** Permits that are free, of which the caller takes no more than it has connections. */
function permitsFor({ terms, leases }: TermedState, { permitsMax }: PacerCall): number {
  if (terms.concurrency === null) return Number.POSITIVE_INFINITY
  const free = terms.concurrency - permitsTaken(leases)
  return Math.min(free, permitsMax ?? free)
}

/**
 * Slots for the requests that are wanted; null: the next one is too far away. Those that may start at
 * once are no more than there are permits, since the others would start late.
 */
function slotsFor(
  { terms, tatMs }: TermedState,
  nowMs: number,
  { wanted, permits }: { wanted: number; permits: number },
): Slots | null {
  if (terms.rate === null) return { requests: wanted, startInMs: 0, everyMs: 0, tatMs }
  const bucket = bucketOf(terms.rate)
  const horizonMs = terms.concurrency === null ? HORIZON_MS : HORIZON_WITH_PERMITS_MS
  const slots = handOut(bucket, tatMs, nowMs, { wanted, horizonMs })
  const isTooMany = slots !== null && slots.everyMs === 0 && slots.requests > permits
  return isTooMany ? handOut(bucket, tatMs, nowMs, { wanted: permits, horizonMs }) : slots
}

function leaseOf(
  { terms }: TermedState,
  { leaseId, nowMs }: PacerCall,
  { slots, permits }: { slots: Slots; permits: number },
): Lease {
  const { requests, startInMs, everyMs, tatMs } = slots
  const lastMs = nowMs + startInMs + (requests - 1) * everyMs
  return {
    id: leaseId,
    requests,
    places: Math.min(requests, permits),
    endsAtMs: nowMs + LEASE_MS,
    slots: terms.rate === null ? null : { tatMs, lastMs },
    noted: null,
    isOwed: false,
  }
}

/**
 * True when more consumers should come for the work beside the buffer, whose amount is unknown: they
 * can use the part of a limit that this grant leaves unused. Without a limit they would gain nothing.
 */
function isOwedStill({ rate, concurrency }: PacerTerms, { requests }: Demand, granted: number): boolean {
  return granted < requests || rate !== null || concurrency !== null
}
