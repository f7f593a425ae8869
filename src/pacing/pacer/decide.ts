import type { PacerTerms, RateLimit } from '../settings.ts'
import { type Demand, demandAtMs, demandOf, isReusing, remaining, requestsMax } from './demand.ts'
import type { PacerCall, PacerReply, Seen, Waiting } from './protocol.ts'
import { bucketOf, handOut, LEAD_MS, nextSlotMs, type Slots } from './rate.ts'
import { countCall } from './shards.ts'
import { addWaiting, LEASE_MS, type Lease, type PacerState, underWay, withLease } from './state.ts'

/** Several consumers that were woken for the same work are nothing unusual. */
const FRUITLESS_MIN = 5
const CALM_MS_MIN = 250
const CALM_MS_MAX = 30_000

/** What a turn comes to; the object is to be woken at `wakeAtMs`, on the clock of the call. */
export type PacerAnswer = { state: PacerState; reply: PacerReply; wakeAtMs: number | null }

/** A pacer that knows its terms. */
type Termed = PacerState & { terms: PacerTerms }

/**
 * One call to a pacer: counts what the caller reports and answers whether requests may start. Counting too much is
 * harmless, since somebody then looks in D1 once in vain; counting too little would delay a flush, so doubts add up.
 */
export function answerPacerCall(before: PacerState, call: PacerCall): PacerAnswer {
  const { nowMs } = call
  const terms = before.terms ?? call.terms
  if (terms === null) return { state: before, reply: { kind: 'unknown' }, wakeAtMs: null }
  const known = adopt({ ...before, terms, subscriptionNo: call.subscriptionNo }, call)
  const counted = note(expire(report(free(known, call), call), nowMs), call.noted)
  const state = { ...counted, load: countCall(counted.load, nowMs) }
  const shards = isShardable(state.terms) ? state.load.shards : 1
  const granted = call.wants ? grant(state, call) : null
  if (granted !== null) {
    const { leaseId } = call
    return {
      state: granted.state,
      reply: { kind: 'go', leaseId, ...granted.go, shards },
      wakeAtMs: wakeAtMs(granted.state, nowMs),
    }
  }
  const atMs = wakeAtMs(state, nowMs)
  return {
    state,
    reply: { kind: 'rest', wakeInMs: atMs === null ? null : atMs - nowMs, shards },
    wakeAtMs: atMs,
  }
}

/** Only a count may be kept in several places; a limit may not. */
function isShardable({ batch, rate, concurrency }: PacerTerms): boolean {
  return batch !== null && rate === null && concurrency === null
}

function adopt(state: Termed, { terms, nowMs }: PacerCall): Termed {
  if (terms === null || terms.version <= state.terms.version) return state
  // What waited for its batch waits no longer.
  const isFreed = terms.batch === null && state.terms.batch !== null && state.buffer !== null
  const changed = isFreed ? owe({ ...state, terms }) : { ...state, terms }
  if (JSON.stringify(terms.rate) === JSON.stringify(state.terms.rate)) return changed
  // Slots of another rate are worth something else: none of them comes back, and few of them delay the new rate.
  changed.leases = changed.leases.map((lease) => ({ ...lease, slots: null }))
  if (terms.rate === null) return { ...changed, tatMs: 0 }
  const { burst, intervalMs } = bucketOf(terms.rate)
  return { ...changed, tatMs: Math.min(state.tatMs, nowMs + burst * intervalMs) }
}

/** Gives others the places that a grant under way needs no more. */
function free(state: Termed, { keeps }: PacerCall): Termed {
  if (keeps === null) return state
  const leases = state.leases.map((lease) =>
    lease.id === keeps.leaseId ? { ...lease, places: Math.min(lease.places, keeps.places) } : lease,
  )
  return { ...state, leases }
}

/** Ends the grant that the caller has used and counts what it saw. */
function report(state: Termed, { finished, seen, leaseId, nowMs }: PacerCall): Termed {
  const lease = state.leases.find(({ id }) => id === finished?.leaseId)
  if (finished === null || lease === undefined) return look(unanswered(state, leaseId, nowMs), seen)
  const unused = Math.min(finished.unused, lease.requests)
  const ended = giveBack(state, lease, unused, nowMs)
  ended.fruitless = unused === lease.requests ? state.fruitless + 1 : 0
  // Nobody has looked what is left, and there may be more than could be granted.
  if (seen === null) return unused === 0 ? owe(ended) : ended
  const isOwed = seen.isDue || lease.isOwed
  // Others may have looked before this was due.
  if (seen.isDue) ended.leases = ended.leases.map((other) => ({ ...other, isOwed: true }))
  return { ...ended, buffer: addWaiting(waitingOf(seen, state.buffer), lease.noted), isOwed }
}

/** What D1 was seen to hold, by somebody who may have looked before the latest was noted: the count is only raised. */
function look(state: Termed, seen: Seen | null): Termed {
  if (seen === null) return state
  const before = seen.isDue ? owe(state) : state
  const { buffer } = before
  const waiting = waitingOf(seen, buffer)
  if (waiting === null || buffer === null) return note(before, waiting)
  const raised = note(before, {
    events: Math.max(0, waiting.events - buffer.events),
    bytes: Math.max(0, waiting.bytes - buffer.bytes),
    sinceMs: waiting.sinceMs,
  })
  const sinceMs = Math.min(buffer.sinceMs, waiting.sinceMs)
  return { ...raised, buffer: { ...(raised.buffer ?? buffer), sinceMs } }
}

/** Something may be due, and those who are out may have looked before it was. */
function owe(state: Termed): Termed {
  return { ...state, isOwed: true, leases: state.leases.map((lease) => ({ ...lease, isOwed: true })) }
}

/** A grant under the id that the caller is asking with was given in an answer that got lost: somebody has to look. */
function unanswered(state: Termed, leaseId: string, nowMs: number): Termed {
  const lease = state.leases.find(({ id }) => id === leaseId)
  return lease === undefined ? state : owe(giveBack(state, lease, lease.requests, nowMs))
}

/**
 * Ends a lease. Its unused slots come back if nobody was given later ones and none was used, or else those that are still
 * to come: of the others nobody knows which were used.
 */
function giveBack(state: Termed, { id, slots, requests }: Lease, unused: number, nowMs: number): Termed {
  const leases = state.leases.filter((lease) => lease.id !== id)
  const { rate } = state.terms
  if (rate === null || slots?.tatMs !== state.tatMs) return { ...state, leases }
  const { intervalMs } = bucketOf(rate)
  const toCome = Math.max(0, Math.ceil((slots.lastMs - nowMs) / intervalMs))
  const returned = unused === requests ? requests : Math.min(unused, toCome)
  return { ...state, leases, tatMs: state.tatMs - returned * intervalMs }
}

function waitingOf({ events, bytes, sinceMs }: Seen, before: Waiting | null): Waiting | null {
  if (events === 0) return null
  return { events, bytes, sinceMs: sinceMs ?? before?.sinceMs ?? 0 }
}

/** Grants that nobody has reported: what they were to carry may still wait. */
function expire(state: Termed, nowMs: number): Termed {
  const leases = state.leases.filter(({ endsAtMs }) => endsAtMs > nowMs)
  return leases.length === state.leases.length ? state : owe({ ...state, leases })
}

function note(state: Termed, noted: Waiting | null): Termed {
  if (noted === null || noted.events === 0) return state
  return {
    ...state,
    buffer: addWaiting(state.buffer, noted),
    leases: state.leases.map((lease) => ({ ...lease, noted: addWaiting(lease.noted, noted) })),
  }
}

type Granted = { state: Termed; go: Omit<Extract<PacerReply, { kind: 'go' }>, 'kind' | 'leaseId' | 'shards'> }

/** As many requests as there is work, room and time for; null: none. */
function grant(state: Termed, { nowMs, leaseId, placesMax }: PacerCall): Granted | null {
  const demand = demandOf(state, nowMs)
  if (demand === null) return null
  const { rate, concurrency } = state.terms
  const free = concurrency === null ? Number.POSITIVE_INFINITY : concurrency - underWay(state.leases)
  if (free < 1) return null
  const room = concurrency === null ? free : Math.min(free, placesMax ?? free)
  const wanted = Math.min(demand.requests, requestsMax(state.terms, room))
  const slots = rate === null ? null : slotsFor(rate, state.tatMs, nowMs, { wanted, room })
  if (slots === null && rate !== null) return null
  const { requests, startInMs, everyMs } = slots ?? { requests: wanted, startInMs: 0, everyMs: 0 }
  const lastMs = nowMs + startInMs + (requests - 1) * everyMs
  const lease: Lease = {
    id: leaseId,
    requests,
    places: Math.min(requests, room),
    endsAtMs: nowMs + LEASE_MS,
    slots: slots && { tatMs: slots.tatMs, lastMs },
    noted: null,
    isOwed: false,
  }
  return {
    go: {
      requests,
      places: concurrency === null ? null : lease.places,
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
      tatMs: slots?.tatMs ?? state.tatMs,
      leases: withLease(state.leases, lease),
    },
  }
}

/** Slots for as many requests as are wanted; those that may start at once are no more than can, or they would start late. */
function slotsFor(
  rate: RateLimit,
  tatMs: number,
  nowMs: number,
  { wanted, room }: { wanted: number; room: number },
): Slots | null {
  const slots = handOut(bucketOf(rate), tatMs, nowMs, wanted)
  const isTooMany = slots !== null && slots.everyMs === 0 && slots.requests > room
  return isTooMany ? handOut(bucketOf(rate), tatMs, nowMs, room) : slots
}

/**
 * Whether others should come for what is owed beside the buffer, whose amount nobody knows. Where a limit leaves
 * something unused while this grant's requests are under way, they should; without a limit nothing is gained by it.
 */
function isOwedStill({ rate, concurrency }: PacerTerms, { requests }: Demand, granted: number): boolean {
  return granted < requests || rate !== null || concurrency !== null
}

/** When somebody has to come at the latest; null: nothing is known to wait. */
function wakeAtMs(state: Termed, nowMs: number): number | null {
  const { rate, concurrency } = state.terms
  const soonestMs = nowMs + 1
  const leaseEndsMs = state.leases.map(({ endsAtMs }) => endsAtMs)
  const hasRoom = concurrency === null || underWay(state.leases) < concurrency
  const workMs = hasRoom ? demandAtMs(state, nowMs) : null
  const calmMs = nowMs + calmAfter(state.fruitless)
  const slotMs = rate === null ? 0 : nextSlotMs(bucketOf(rate), state.tatMs) - LEAD_MS
  const candidates = workMs === null ? leaseEndsMs : [...leaseEndsMs, Math.max(workMs, slotMs, calmMs)]
  return candidates.length === 0 ? null : Math.max(soonestMs, Math.min(...candidates))
}

/** Where D1 says that something waits but yields nothing, the wake-ups come ever more rarely: each costs money. */
function calmAfter(fruitless: number): number {
  return fruitless < FRUITLESS_MIN ? 0 : Math.min(CALM_MS_MAX, CALM_MS_MIN * 2 ** (fruitless - FRUITLESS_MIN))
}
