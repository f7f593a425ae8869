import type { AttemptResult } from '../outcome/classify.ts'
import { RETRY_AFTER_SECONDS_MAX } from '../outcome/retry-after.ts'

/** So many faults in a row open a subscription's breaker. */
export const BREAKER_FAULTS_MIN = 10
/** How long a breaker that has just opened holds deliveries back, before the jitter: 30 s, doubled by each failed probe. */
export const BREAKER_HOLD_MS_MIN = 30_000
/** Longest hold, before the jitter: 15 minutes. */
export const BREAKER_HOLD_MS_MAX = 900_000
/** Five doublings reach the longest hold; the counter stops there. */
export const BREAKER_FAULTS_MAX = BREAKER_FAULTS_MIN + 5
/** A hold is shorter or longer by up to this part of itself, so that receivers behind one fault are not probed at once. */
const JITTER_PERMILLE = 200

/**
 * A breaker as its subscription's row remembers it; all zero is closed. `faultsInRow` counts up to `BREAKER_FAULTS_MIN`,
 * where the breaker opens, and from there one for each failed probe. `heldUntilMs` is the breaker's own hold, 0 below that,
 * `throttledUntilMs` the receiver's `Retry-After`: apart, because a success ends the one but not the other.
 */
export type BreakerState = { faultsInRow: number; heldUntilMs: number; throttledUntilMs: number }

/** A breaker that holds nothing back; also what a subscription that is enabled, resumed or moved starts from. */
export const CLOSED_BREAKER: BreakerState = { faultsInRow: 0, heldUntilMs: 0, throttledUntilMs: 0 }

/** What an attempt says of the receiver. */
export type BreakerSignal = 'answer' | 'fault' | 'nothing'

/** What one consumer's claim saw of a receiver, in the order in which its attempts ended. */
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
 * What a claim changes, to be applied to the row as it then is. It says what was seen, not what the state becomes, so that
 * the claims of two isolates add up whatever state each of them had read.
 */
export type BreakerChange = {
  /** `add`: faults only. `close`: the receiver answered. `reset`: somebody asked for a retry and it was answered. */
  kind: 'add' | 'close' | 'reset'
  /** Faults to add; after a `close`, to none. */
  faults: number
  /** Until when the receiver asked to be left alone; 0 for no such wish. */
  throttledUntilMs: number
  nowMs: number
  /** What the hold is multiplied by, in thousandths: 800–1,200. An integer, so that SQL calculates the same. */
  jitterPermille: number
}

/** A change that forgets everything, `Retry-After` too: a retry asked for by a person was answered. */
export function resetBreaker(nowMs: number): BreakerChange {
  return { kind: 'reset', faults: 0, throttledUntilMs: 0, nowMs, jitterPermille: 1000 }
}

/**
 * What a result says of the receiver. Timeouts, faults of the connection, 5xx, 408 and 425 are those of a receiver that
 * is down or overwhelmed. Every other status is the answer of one that works, however little it liked the event: a
 * broken route or an expired password must not hold back the event types that it takes, and a 429 has its own
 * remedy, `Retry-After`. Where no request was made (`template`, `auth`, `blocked`, `internal`) nothing was learned.
 *
 * @param isExpected whether a response rule has called the answer a success or final: then it is no fault
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

/** Whether a result counts towards opening the breaker. */
export function isFault(result: AttemptResult): boolean {
  return breakerSignal(result) === 'fault'
}

/** An observation after one more attempt; `retryAfterUntilMs` where its `Retry-After` is honoured, else null. */
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
 * What a claim's observation changes; null when it would change nothing of the state that the claim has read, so that
 * healthy receivers cost no row. An answer closes the breaker, faults after it count from none; a claim with nothing but
 * faults adds them.
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
 * The state after a change: what storage's one UPDATE does to the row. Each new value depends on the old row and the
 * change only. While the breaker is open, further faults come from claims taken before it opened and count for nothing;
 * once the hold has passed, a claim's faults are one failed probe, however many.
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

/** Whether the breaker itself holds everything back. */
export function isOpen(state: BreakerState, nowMs: number): boolean {
  return state.heldUntilMs > nowMs
}

/** Whether the holds have passed and nothing has been heard since: then only one delivery may be attempted. */
export function isProbing(state: BreakerState, nowMs: number): boolean {
  return state.faultsInRow >= BREAKER_FAULTS_MIN && heldUntilOf(state, nowMs) === null
}

/** Until when no delivery may be attempted, in unix milliseconds, whoever asks for it; null when one may be now. */
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
