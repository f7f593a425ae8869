import type { AttemptResult } from '../outcome/classify.ts'
import { RETRY_AFTER_SECONDS_MAX } from '../outcome/retry-after.ts'

/** So many faults in a row open a subscription's breaker. */
export const BREAKER_FAULTS_MIN = 10
/** Hold of a breaker that has just opened, before the jitter: 30 s, doubled by each failed probe. */
export const BREAKER_HOLD_MS_MIN = 30_000
/** Longest hold, before the jitter: 15 minutes. */
export const BREAKER_HOLD_MS_MAX = 900_000
/** Five doublings reach the longest hold; the counter stops there. */
export const BREAKER_FAULTS_MAX = BREAKER_FAULTS_MIN + 5
/** Spreads a hold by up to this part of itself, so that receivers behind one fault are probed apart. */
const JITTER_PERMILLE = 200

/**
 * A breaker as its row keeps it; all zero is closed. `faultsInRow` counts to `BREAKER_FAULTS_MIN`,
 * then one for each failed probe. A success ends the breaker's own hold, `heldUntilMs`, but not the
 * receiver's `Retry-After`, `throttledUntilMs`.
 */
export type BreakerState = { faultsInRow: number; heldUntilMs: number; throttledUntilMs: number }

/** A breaker that holds nothing; a subscription that is enabled, resumed or moved starts from it. */
export const CLOSED_BREAKER: BreakerState = { faultsInRow: 0, heldUntilMs: 0, throttledUntilMs: 0 }

/** The meaning of one attempt for the receiver's breaker. */
export type BreakerSignal = 'answer' | 'fault' | 'nothing'

/** One claim's view of a receiver, in the order in which its attempts ended. */
export type BreakerObservation = {
  /** Attempts that were a working receiver's answer. */
  answers: number
  /** Faults since the last of these; all faults when there is none. */
  faultsInRow: number
  /** The latest time any answer's `Retry-After` named, in unix milliseconds; null for none. */
  retryAfterUntilMs: number | null
}

/** A claim that has seen nothing yet. */
export const NOTHING_OBSERVED: BreakerObservation = { answers: 0, faultsInRow: 0, retryAfterUntilMs: null }

/**
 * The change that a claim makes, applied to the row as it then is. It holds what was observed and
 * not the next state, so that the claims of two isolates add up.
 */
export type BreakerChange = {
  /**
   * `add`: only faults. `close`: the receiver answered. `reset`: a retry that a person requested
   * was answered.
   */
  kind: 'add' | 'close' | 'reset'
  /** Faults to add; after a `close` they count from zero. */
  faults: number
  /** The time until which the receiver asked to be left alone; 0 for none. */
  throttledUntilMs: number
  nowMs: number
  /** Multiplies the hold, in thousandths: 800–1,200. An integer, so that SQL calculates the same. */
  jitterPermille: number
}

/** A change that clears everything, `Retry-After` too, after a retry that a person requested. */
export function resetBreaker(nowMs: number): BreakerChange {
  return { kind: 'reset', faults: 0, throttledUntilMs: 0, nowMs, jitterPermille: 1000 }
}

/**
 * Reads a result as a signal. Timeouts, connection faults, 5xx, 408 and 425 come from a receiver
 * that is down or overwhelmed. All other statuses are answers: one broken route must not hold back
 * the types that work, and 429 has `Retry-After`.
 *
 * @param isExpected true when a response rule called the answer a success or final: then it is no
 * fault
 */
export function breakerSignal(result: AttemptResult, isExpected = false): BreakerSignal {
  if ('status' in result) {
    const { status } = result
    const isFaulty = status >= 500 || status === 408 || status === 425
    return isFaulty && !isExpected ? 'fault' : 'answer'
  }
  switch (result.fault) {
    case 'timeout_headers':
    case 'timeout_body':
    case 'connection':
    case 'dns_or_tls':
    case 'tls':
    case 'dns':
    case 'refused':
      return 'fault'
    case 'template':
    case 'auth':
    case 'blocked':
    case 'internal':
      return 'nothing'
  }
}

/**
 * Adds one attempt to an observation; `retryAfterUntilMs` is null unless its `Retry-After` is
 * honoured.
 */
export function observeSignal(
  seen: BreakerObservation,
  signal: BreakerSignal,
  retryAfterUntilMs: number | null,
): BreakerObservation {
  const asked = [seen.retryAfterUntilMs, retryAfterUntilMs].filter((untilMs) => untilMs !== null)
  return {
    answers: seen.answers + (signal === 'answer' ? 1 : 0),
    faultsInRow: signal === 'answer' ? 0 : seen.faultsInRow + (signal === 'fault' ? 1 : 0),
    retryAfterUntilMs: asked.length === 0 ? null : Math.max(...asked),
  }
}

/**
 * Turns a claim's observation into a change; null when the state that was read would stay as it is,
 * so that healthy receivers cost no row. An answer closes the breaker, and faults after it count
 * from zero.
 *
 * @param random a number in [0, 1) for the jitter
 */
export function observeBreaker(
  state: BreakerState,
  seen: BreakerObservation,
  nowMs: number,
  random: number,
): BreakerChange | null {
  const longestMs = nowMs + RETRY_AFTER_SECONDS_MAX * 1000
  const untilMs = Math.min(seen.retryAfterUntilMs ?? 0, longestMs)
  const change: BreakerChange = {
    kind: seen.answers > 0 ? 'close' : 'add',
    faults: seen.faultsInRow,
    throttledUntilMs: untilMs > nowMs ? untilMs : 0,
    nowMs,
    jitterPermille: Math.round(1000 + JITTER_PERMILLE * (2 * random - 1)),
  }
  const next = applyBreaker(state, change)
  const isSame =
    next.faultsInRow === state.faultsInRow &&
    next.heldUntilMs === state.heldUntilMs &&
    next.throttledUntilMs === state.throttledUntilMs
  return isSame ? null : change
}

/**
 * Applies a change, as the one UPDATE does to the row: each new value depends on the old row and
 * the change only. Faults while the breaker is open come from older claims and do not count; after
 * the hold, all faults of a claim are one failed probe.
 */
export function applyBreaker(state: BreakerState, change: BreakerChange): BreakerState {
  if (change.kind === 'reset') return CLOSED_BREAKER
  const throttledUntilMs = Math.max(state.throttledUntilMs, change.throttledUntilMs)
  const before = change.kind === 'close' ? CLOSED_BREAKER : state
  if (change.faults === 0 || isOpen(before, change.nowMs)) return { ...before, throttledUntilMs }
  const faultsInRow =
    before.faultsInRow < BREAKER_FAULTS_MIN
      ? Math.min(before.faultsInRow + change.faults, BREAKER_FAULTS_MIN)
      : Math.min(before.faultsInRow + 1, BREAKER_FAULTS_MAX)
  if (faultsInRow < BREAKER_FAULTS_MIN) return { faultsInRow, heldUntilMs: 0, throttledUntilMs }
  const doubled = BREAKER_HOLD_MS_MIN * 2 ** (faultsInRow - BREAKER_FAULTS_MIN)
  const holdMs = (Math.min(doubled, BREAKER_HOLD_MS_MAX) * change.jitterPermille) / 1000
  return { faultsInRow, heldUntilMs: change.nowMs + holdMs, throttledUntilMs }
}

/** True while the breaker's own hold lasts. */
export function isOpen(state: BreakerState, nowMs: number): boolean {
  return state.heldUntilMs > nowMs
}

/** True when the holds have passed without an answer since: only one delivery may be attempted. */
export function isProbing(state: BreakerState, nowMs: number): boolean {
  return state.faultsInRow >= BREAKER_FAULTS_MIN && heldUntilOf(state, nowMs) === null
}

/** The end of all holds, in unix milliseconds; null when a delivery may be attempted now. */
export function heldUntilOf(state: BreakerState, nowMs: number): number | null {
  const ownMs = isOpen(state, nowMs) ? state.heldUntilMs : 0
  const untilMs = Math.max(ownMs, state.throttledUntilMs)
  return untilMs > nowMs ? untilMs : null
}

/** The breaker in the API's words: `throttled` is held by the receiver's `Retry-After` alone. */
export function breakerName(
  state: BreakerState,
  nowMs: number,
): 'closed' | 'open' | 'half_open' | 'throttled' {
  if (isOpen(state, nowMs)) return 'open'
  if (heldUntilOf(state, nowMs) !== null) return 'throttled'
  return isProbing(state, nowMs) ? 'half_open' : 'closed'
}
