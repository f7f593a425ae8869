import type { CountedWaiting, PacerCall, Waiting } from './protocol.ts'
import { bucketOf } from './rate.ts'
import { addWaiting, type Lease, type TermedState } from './state.ts'

/** The state after a caller's report, before anything is granted. */
export function countCallReport(before: TermedState, call: PacerCall): TermedState {
  const adopted = releasePermits(adoptTerms(before, call), call)
  return addArrivals(expireLeases(endGrant(adopted, call), call.nowMs), call.arrived)
}

function adoptTerms(state: TermedState, { terms, nowMs }: PacerCall): TermedState {
  if (terms === null || terms.version <= state.terms.version) return state
  // Without batching, deliveries that waited for their batch are due.
  const isFreed = terms.batch === null && state.terms.batch !== null && state.buffer !== null
  const changed = isFreed ? markOwed({ ...state, terms }) : { ...state, terms }
  if (JSON.stringify(terms.rate) === JSON.stringify(state.terms.rate)) return changed
  // Slots of another rate have another worth: none comes back, and only few of them delay the new rate.
  changed.leases = changed.leases.map((lease) => ({ ...lease, slots: null }))
  if (terms.rate === null) return { ...changed, tatMs: 0 }
  const { burst, intervalMs } = bucketOf(terms.rate)
  return { ...changed, tatMs: Math.min(state.tatMs, nowMs + burst * intervalMs) }
}

/** Frees the permits that a grant under way needs no more. */
function releasePermits(state: TermedState, { keepsPermits: kept }: PacerCall): TermedState {
  if (kept === null) return state
  const leases = state.leases.map((lease) =>
    lease.id === kept.leaseId ? { ...lease, places: Math.min(lease.places, kept.permits) } : lease,
  )
  return { ...state, leases }
}

/** Ends the grant that the caller has used, and takes over the count that it read in D1. */
function endGrant(state: TermedState, { finished, waiting, leaseId, nowMs }: PacerCall): TermedState {
  const lease = state.leases.find(({ id }) => id === finished?.leaseId)
  if (finished === null || lease === undefined) {
    return raiseCount(endUnansweredGrant(state, leaseId, nowMs), waiting)
  }
  const unused = Math.min(finished.unused, lease.requests)
  const ended = endLease(state, lease, { unused, nowMs })
  ended.fruitless = unused === lease.requests ? state.fruitless + 1 : 0
  // D1 was not read, and it may hold more than could be granted.
  if (waiting === null) return unused === 0 ? markOwed(ended) : ended
  const isOwed = waiting.isDue || lease.isOwed
  // The consumers of other grants may have read D1 before this was due.
  if (waiting.isDue) ended.leases = ended.leases.map((other) => ({ ...other, isOwed: true }))
  return { ...ended, buffer: addWaiting(toBuffer(waiting, state.buffer), lease.noted), isOwed }
}

/** Raises the count to one read in D1, but never lowers it: the latest may be missing there. */
function raiseCount(state: TermedState, counted: CountedWaiting | null): TermedState {
  if (counted === null) return state
  const before = counted.isDue ? markOwed(state) : state
  const { buffer } = before
  const waiting = toBuffer(counted, buffer)
  if (waiting === null || buffer === null) return addArrivals(before, waiting)
  const raised = addArrivals(before, {
    events: Math.max(0, waiting.events - buffer.events),
    bytes: Math.max(0, waiting.bytes - buffer.bytes),
    sinceMs: waiting.sinceMs,
  })
  const sinceMs = Math.min(buffer.sinceMs, waiting.sinceMs)
  return { ...raised, buffer: { ...(raised.buffer ?? buffer), sinceMs } }
}

/** Marks that something may be due, also for grants whose consumers may have read D1 before. */
function markOwed(state: TermedState): TermedState {
  return { ...state, isOwed: true, leases: state.leases.map((lease) => ({ ...lease, isOwed: true })) }
}

/** Ends a grant under the id of this call: its answer got lost, so D1 has to be read. */
function endUnansweredGrant(state: TermedState, leaseId: string, nowMs: number): TermedState {
  const lease = state.leases.find(({ id }) => id === leaseId)
  if (lease === undefined) return state
  return markOwed(endLease(state, lease, { unused: lease.requests, nowMs }))
}

/**
 * Ends a lease. Its unused slots come back only if no later ones were given out: all if none was used,
 * else those still to come, since of the others nothing tells which were used.
 */
function endLease(
  state: TermedState,
  { id, slots, requests }: Lease,
  { unused, nowMs }: { unused: number; nowMs: number },
): TermedState {
  const leases = state.leases.filter((lease) => lease.id !== id)
  const { rate } = state.terms
  if (rate === null || slots?.tatMs !== state.tatMs) return { ...state, leases }
  const { intervalMs } = bucketOf(rate)
  const toCome = Math.max(0, Math.ceil((slots.lastMs - nowMs) / intervalMs))
  const returned = unused === requests ? requests : Math.min(unused, toCome)
  return { ...state, leases, tatMs: state.tatMs - returned * intervalMs }
}

function toBuffer({ events, bytes, sinceMs }: CountedWaiting, before: Waiting | null): Waiting | null {
  if (events === 0) return null
  return { events, bytes, sinceMs: sinceMs ?? before?.sinceMs ?? 0 }
}

/** Drops grants that were never reported: the deliveries that they were to carry may still wait. */
function expireLeases(state: TermedState, nowMs: number): TermedState {
  const leases = state.leases.filter(({ endsAtMs }) => endsAtMs > nowMs)
  return leases.length === state.leases.length ? state : markOwed({ ...state, leases })
}

function addArrivals(state: TermedState, arrived: Waiting | null): TermedState {
  if (arrived === null || arrived.events === 0) return state
  return {
    ...state,
    buffer: addWaiting(state.buffer, arrived),
    leases: state.leases.map((lease) => ({ ...lease, noted: addWaiting(lease.noted, arrived) })),
  }
}
