import type { PacerTerms } from '../settings.ts'
import type { Flush, FlushCause, Waiting } from './protocol.ts'
import type { TermedState } from './state.ts'

/** Requests of one grant that carry batches, so that a rush is shared among consumers. */
export const REQUESTS_MAX = 10
/** Requests of one grant that carry single events. */
export const REQUESTS_MAX_SINGLE = 100
/** Where only permits are limited, a grant uses each so often and leaves the rest to others. */
const REUSE = 10

/** True when nothing but the requests at once is limited. */
export function isReusing({ rate, concurrency }: PacerTerms): boolean {
  return concurrency !== null && rate === null
}

/** The most requests of one grant with so many permits. */
export function requestsMax(terms: PacerTerms, permits: number): number {
  if (isReusing(terms)) return REUSE * permits
  return terms.batch === null ? REQUESTS_MAX_SINGLE : REQUESTS_MAX
}

/** The work that is due now. */
export type Demand = {
  /** Requests that would do all of it, or more than one grant gets. */
  requests: number
  /** Those among them that carry deliveries of the buffer. */
  counted: number
  /** The part of the buffer that these carry. */
  takes: { events: number; bytes: number }
  flush: Flush
  cause: FlushCause | null
}

const NOTHING_TAKEN = { events: 0, bytes: 0 }

/** The work that is due now; null: none. */
export function demandOf(state: TermedState, nowMs: number): Demand | null {
  const { terms, buffer, isOwed } = state
  const { batch } = terms
  if (batch === null) return singles(buffer, isOwed)
  const due = isOwed ? 1 : 0
  const flush = buffer === null ? null : flushOf(batch, buffer, nowMs)
  if (flush !== null) return { ...flush, requests: flush.counted + due }
  return isOwed ? { requests: due, counted: 0, takes: NOTHING_TAKEN, flush: 'none', cause: null } : null
}

/** The time at which work will be due, in unix milliseconds; null: nothing is known to wait. */
export function demandAtMs(state: TermedState, nowMs: number): number | null {
  if (demandOf(state, nowMs) !== null) return nowMs
  const { buffer, terms } = state
  if (buffer === null || terms.batch === null) return null
  return buffer.sinceMs + terms.batch.maxWaitMs
}

function singles(buffer: Waiting | null, isOwed: boolean): Demand | null {
  const events = buffer?.events ?? 0
  const requests = events + (isOwed ? REQUESTS_MAX_SINGLE : 0)
  if (requests === 0) return null
  const takes = { events, bytes: buffer?.bytes ?? 0 }
  return { requests, counted: events, takes, flush: 'none', cause: null }
}

/** The flush that is due: of all once the first has waited long enough, else of full batches. */
function flushOf(
  { maxEvents, maxBytes, maxWaitMs }: NonNullable<PacerTerms['batch']>,
  { events, bytes, sinceMs }: Waiting,
  nowMs: number,
): Omit<Demand, 'requests'> | null {
  const bodies = Math.ceil(bytes / maxBytes)
  if (nowMs >= sinceMs + maxWaitMs) {
    const counted = Math.max(Math.ceil(events / maxEvents), bodies, 1)
    return { counted, takes: { events, bytes }, flush: 'all', cause: 'wait' }
  }
  if (events < maxEvents && bytes < maxBytes) return null
  if (events >= maxEvents) {
    const full = Math.floor(events / maxEvents)
    const takes = { events: full * maxEvents, bytes: Math.floor((bytes * full * maxEvents) / events) }
    return { counted: Math.max(full, bytes < maxBytes ? 0 : bodies), takes, flush: 'full', cause: 'count' }
  }
  const fullBytes = Math.floor(bytes / maxBytes) * maxBytes
  const takes = { events: Math.floor((events * fullBytes) / bytes), bytes: fullBytes }
  return { counted: bodies, takes, flush: 'full', cause: 'bytes' }
}

/** The buffer that is left when `granted` of the demanded requests were granted. */
export function remaining(buffer: Waiting | null, demand: Demand, granted: number): Waiting | null {
  if (buffer === null || demand.counted === 0) return buffer
  const done = Math.min(granted, demand.counted)
  const events = buffer.events - Math.floor((demand.takes.events * done) / demand.counted)
  const bytes = buffer.bytes - Math.floor((demand.takes.bytes * done) / demand.counted)
  return events === 0 ? null : { events, bytes, sinceMs: buffer.sinceMs }
}
