/** A group of receivers that answer alike, and what they count. */

/** The way a group answers. */
export type Behaviour = {
  readonly status: number
  readonly delayMs: number
  /** Requests are counted and never answered. */
  readonly hangs: boolean
  /** An event's first request to a receiver is answered 503. */
  readonly refusesFirst: boolean
  /** A span by which requests are counted; those beyond `requestsMax` are answered 429. */
  readonly window: { readonly perMs: number; readonly requestsMax: number | null } | null
}

/** A group's counts; times are in unix milliseconds. */
export type GroupReport = {
  readonly requests: number
  /** Pairs of a receiver and an event that were answered with a 2xx, each once. */
  readonly delivered: number
  /** Requests answered 429 for the window. */
  readonly refused: number
  /** Requests that had come before: the same event at the same receiver. */
  readonly repeated: number
  /** Of these, those whose event the receiver had already answered with a 2xx. */
  readonly repeatedAfterSuccess: number
  readonly inFlight: number
  readonly peakInFlight: number
  readonly firstAtMs: number | null
  readonly lastDeliveredAtMs: number | null
  /** The most requests that arrived within one window, wherever it begins; null where none is given. */
  readonly mostInWindow: number | null
}

/** Arrivals in unix milliseconds, by path and event. */
export type Arrivals = Readonly<Record<string, Readonly<Record<string, number>>>>

export const HEALTHY: Behaviour = { status: 200, delayMs: 0, hangs: false, refusesFirst: false, window: null }

/** Unix time with fractions, which two processes of one machine agree on. */
export function unixMs(): number {
  return performance.timeOrigin + performance.now()
}

type Seen = { firstAtMs: number; repeatedAtMs: number | null; isDelivered: boolean }

export class Group {
  behaviour = HEALTHY
  readonly #seen = new Map<string, Map<string, Seen>>()
  /** Arrivals of a group with a window, and those of them that were not refused. */
  readonly #arrivedAtMs: number[] = []
  readonly #admittedAtMs: number[] = []
  #admittedFrom = 0
  #counts = { requests: 0, delivered: 0, refused: 0, repeated: 0, repeatedAfterSuccess: 0, inFlight: 0 }
  #peakInFlight = 0
  #firstAtMs: number | null = null
  #lastDeliveredAtMs: number | null = null

  /** Counts a request and gives the status to answer it with. */
  arrive(path: string, id: string): number {
    const nowMs = unixMs()
    this.#counts.requests++
    this.#counts.inFlight++
    this.#peakInFlight = Math.max(this.#peakInFlight, this.#counts.inFlight)
    this.#firstAtMs ??= nowMs
    const isFirst = this.#see(path, id, nowMs)
    if (!this.#admits(nowMs)) {
      this.#counts.refused++
      return 429
    }
    return isFirst && this.behaviour.refusesFirst ? 503 : this.behaviour.status
  }

  /** Counts the end of a request: answered with a status, or null where the sender gave up. */
  end(path: string, id: string, status: number | null): void {
    this.#counts.inFlight--
    const seen = this.#seen.get(path)?.get(id)
    if (status === null || status > 299 || seen === undefined || seen.isDelivered) return
    seen.isDelivered = true
    this.#counts.delivered++
    this.#lastDeliveredAtMs = unixMs()
  }

  report(): GroupReport {
    const { window } = this.behaviour
    return {
      ...this.#counts,
      peakInFlight: this.#peakInFlight,
      firstAtMs: this.#firstAtMs,
      lastDeliveredAtMs: this.#lastDeliveredAtMs,
      mostInWindow: window && mostInWindow(this.#arrivedAtMs, window.perMs),
    }
  }

  arrivals(): Arrivals {
    return this.#timesOf(({ firstAtMs }) => firstAtMs)
  }

  /** Second arrivals of the events that came again. */
  repeats(): Arrivals {
    return this.#timesOf(({ repeatedAtMs }) => repeatedAtMs)
  }

  #timesOf(timeOf: (seen: Seen) => number | null): Arrivals {
    const ofPath = (seen: Map<string, Seen>) =>
      Object.fromEntries(
        [...seen].flatMap(([id, each]): [string, number][] => {
          const atMs = timeOf(each)
          return atMs === null ? [] : [[id, atMs]]
        }),
      )
    return Object.fromEntries([...this.#seen].map(([path, seen]) => [path, ofPath(seen)]))
  }

  /** True for an event that comes for the first time. */
  #see(path: string, id: string, nowMs: number): boolean {
    const events = this.#seen.get(path) ?? new Map<string, Seen>()
    this.#seen.set(path, events)
    const seen = events.get(id)
    if (seen === undefined) {
      events.set(id, { firstAtMs: nowMs, repeatedAtMs: null, isDelivered: false })
      return true
    }
    seen.repeatedAtMs ??= nowMs
    this.#counts.repeated++
    if (seen.isDelivered) this.#counts.repeatedAfterSuccess++
    return false
  }

  /** A receiver with a strict limit counts what it has admitted, not what it has refused. */
  #admits(nowMs: number): boolean {
    const { window } = this.behaviour
    if (window === null) return true
    this.#arrivedAtMs.push(nowMs)
    if (window.requestsMax === null) return true
    const admitted = this.#admittedAtMs
    while ((admitted[this.#admittedFrom] ?? nowMs) <= nowMs - window.perMs) this.#admittedFrom++
    if (admitted.length - this.#admittedFrom >= window.requestsMax) return false
    admitted.push(nowMs)
    return true
  }
}

/** The most of these times that lie within one span, its end not included. */
export function mostInWindow(timesMs: readonly number[], perMs: number): number {
  let first = 0
  let most = 0
  for (const [i, atMs] of timesMs.entries()) {
    while ((timesMs[first] ?? atMs) <= atMs - perMs) first++
    most = Math.max(most, i - first + 1)
  }
  return most
}
