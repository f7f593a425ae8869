import { withinMs } from './wait.ts'

/** Requests that one party may be asked at once: at the beginning, and at most. */
export type AdaptiveBounds = { initial: number; max: number }

/** The end of a request: answered after a time, refused for lack of capacity, or neither. */
export type RequestEnd = { kind: 'answered'; latencyMs: number } | { kind: 'overloaded' } | { kind: 'other' }

/** How long a request may wait for its permit, and how long a permit lasts that nobody gives back. */
export type PermitTerms = { now: () => number; waitMsMax: number; lastsMs: number }

/** Leave to make one request. */
export type Permit = { expiresAtMs: number }

/** Answers up to this multiple of the quickest, and this much beyond, show no queue at the other end. */
const UNQUEUED_FACTOR = 2
const UNQUEUED_MS = 50
/** A waiting request shows this often that its invocation still lives. */
const HEARTBEAT_MS = 2_000
/** One that has not for this long is passed over, and a permit that nobody took up in this time is free again. */
const SILENT_MS_MAX = 5_000

/**
 * Bounds the requests in flight to one party by what it can bear: one more for each answer that did not have to queue
 * there, half as many when it is overloaded. Requests begun before a halving do not halve again. The platform may cancel
 * an invocation with all it waits for: permits expire, and requests that have fallen silent lose their place.
 */
export class AdaptiveLimit {
  readonly #max: number
  #limit: number
  readonly #permits = new Set<Permit>()
  #quickestMs = Number.POSITIVE_INFINITY
  #halvedAtMs = Number.NEGATIVE_INFINITY
  #waiting: Waiter[] = []

  constructor({ initial, max }: AdaptiveBounds) {
    this.#max = Math.max(1, max)
    this.#limit = Math.max(1, Math.min(initial, this.#max))
  }

  /** Requests that may be in flight at once. */
  get limit(): number {
    return Math.min(this.#limit, this.#max)
  }

  get inFlight(): number {
    return this.#permits.size
  }

  /** Requests that wait for a permit. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Waits for a permit, first come, first served; each is given back by one `end`. Null after the longest wait. */
  async acquire(terms: PermitTerms): Promise<Permit | null> {
    const { now, waitMsMax, lastsMs } = terms
    const untilMs = now() + waitMsMax
    const waiter = newWaiter(now())
    this.#waiting.push(waiter)
    this.#grant(now())
    while (waiter.permit === null) {
      await withinMs(HEARTBEAT_MS, waiter.granted, () => undefined)
      const nowMs = now()
      waiter.seenAtMs = nowMs
      this.#keepWaiting(waiter)
      this.#grant(nowMs)
      if (waiter.permit === null && nowMs >= untilMs) {
        this.#waiting = this.#waiting.filter((other) => other !== waiter)
        return null
      }
    }
    waiter.permit.expiresAtMs = now() + lastsMs
    return waiter.permit
  }

  /** Ends a request that began at a time, and lets others start. */
  end(permit: Permit, end: RequestEnd, { startedAtMs, nowMs }: { startedAtMs: number; nowMs: number }): void {
    this.#permits.delete(permit)
    this.#learn(end, startedAtMs, nowMs)
    this.#grant(nowMs)
  }

  #grant(nowMs: number): void {
    if (this.#permits.size >= this.limit && this.#waiting.length > 0) this.#expire(nowMs)
    while (this.#permits.size < this.limit) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      if (nowMs - next.seenAtMs > SILENT_MS_MAX) continue
      next.permit = { expiresAtMs: nowMs + SILENT_MS_MAX }
      this.#permits.add(next.permit)
      next.go()
    }
  }

  #expire(nowMs: number): void {
    for (const permit of this.#permits) if (permit.expiresAtMs <= nowMs) this.#permits.delete(permit)
  }

  /** A request that was passed over while the whole isolate stood still waits again. */
  #keepWaiting(waiter: Waiter): void {
    if (waiter.permit === null && !this.#waiting.includes(waiter)) this.#waiting.push(waiter)
  }

  #learn(end: RequestEnd, startedAtMs: number, nowMs: number): void {
    switch (end.kind) {
      case 'answered':
        this.#quickestMs = Math.min(this.#quickestMs, end.latencyMs)
        if (end.latencyMs <= UNQUEUED_FACTOR * this.#quickestMs + UNQUEUED_MS) {
          this.#limit = Math.min(this.#max, this.#limit + 1)
        }
        return
      case 'overloaded':
        if (startedAtMs <= this.#halvedAtMs) return
        this.#halvedAtMs = nowMs
        this.#limit = Math.max(1, Math.floor(this.#limit / 2))
        return
      case 'other':
        return
    }
  }
}

type Waiter = { seenAtMs: number; permit: Permit | null; granted: Promise<void>; go: () => void }

function newWaiter(seenAtMs: number): Waiter {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { seenAtMs, permit: null, granted: promise, go: resolve }
}
