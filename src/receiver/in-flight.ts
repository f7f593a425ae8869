import { AdaptiveLimit, type RequestEnd } from '../base/concurrency/adaptive-limit.ts'
import { SLOW_LATENCY_MS } from './health.ts'

/** Fewer attempts than this are no burden even while all of them hang. */
const BURDEN_ATTEMPTS = 20
/** Requests at once that a receiver is first asked for, where its subscription does not say less. */
const REQUESTS_AT_FIRST = 10
/** The most that are made at once to one receiver from one isolate. */
const REQUESTS_MAX = 250
/** Deliveries in hand that wait for one receiver; more are left to D1 until it has caught up. */
const WAITING_MAX = 200
/** A delivery waits for so long: the platform ends what an invocation has left to the background after 30 s. */
const WAIT_MS_MAX = 20_000
/** A request is over by then: its timeout, twice, and those of its access tokens. */
const REQUEST_MS_MAX = 90_000

/** A request that is out for longer waits for its receiver, and costs this isolate nothing meanwhile. */
const YOUNG_MS = 50
/** The same while the isolate is busy, and answers wait to be read. */
const YOUNG_MS_BUSY = 400
/** A claim's requests have all begun by then, or its invocation was cancelled. */
const STARTING_MS_MAX = 1_000

type Receiver = {
  limit: AdaptiveLimit
  /** Requests that are out, oldest first; the platform may have cancelled one without a word. */
  starts: Set<{ startedAtMs: number }>
  answeredAtMs: number
}

/**
 * The attempts this isolate has under way, by subscription: a receiver that has begun to hang is known as slow while its
 * first request is still out, and none is asked for more at once than it has shown to bear.
 */
export class InFlight {
  readonly #receivers = new Map<number, Receiver>()
  /** Requests that went out a moment ago, oldest first. */
  readonly #young = new Set<{ startedAtMs: number }>()
  /** Claims whose requests are about to begin, oldest first. */
  readonly #starting = new Set<{ requests: number; sinceMs: number }>()

  /** Runs work when the receiver may be asked for one more; null when it could not be in the longest time to wait. */
  async admit<T>(
    { no, concurrency }: { no: number; concurrency: number | null },
    now: () => number,
    work: () => Promise<{ value: T; end: RequestEnd }>,
  ): Promise<T | null> {
    const { limit } = this.#receiver(no, concurrency)
    const permit = await limit.acquire({ now, waitMsMax: WAIT_MS_MAX, lastsMs: REQUEST_MS_MAX })
    if (permit === null) return null
    const startedAtMs = now()
    let end: RequestEnd = { kind: 'other' }
    try {
      const done = await work()
      end = done.end
      return done.value
    } finally {
      limit.end(permit, end, { startedAtMs, nowMs: now() })
      this.#forgetIdle(no)
    }
  }

  /** Notes a request; call what it answers when the request has ended. */
  begin(no: number, startedAtMs: number): () => void {
    const { starts } = this.#receiver(no, null)
    for (const start of starts) if (startedAtMs - start.startedAtMs > REQUEST_MS_MAX) starts.delete(start)
    const start = { startedAtMs }
    starts.add(start)
    this.#young.add(start)
    return () => {
      starts.delete(start)
      this.#young.delete(start)
      this.#forgetIdle(no)
    }
  }

  /** Notes requests that are about to begin; call what it answers as each does. */
  starting(requests: number, sinceMs: number): () => void {
    const claim = { requests, sinceMs }
    this.#starting.add(claim)
    return () => {
      if (--claim.requests === 0) this.#starting.delete(claim)
    }
  }

  /** Requests that keep this isolate occupied: those about to begin, and those too young to be answered yet. */
  young(nowMs: number, isBusy: boolean): number {
    const youngMs = isBusy ? YOUNG_MS_BUSY : YOUNG_MS
    for (const start of this.#young) {
      if (nowMs - start.startedAtMs <= youngMs) break
      this.#young.delete(start)
    }
    let starting = 0
    for (const claim of this.#starting) {
      if (nowMs - claim.sinceMs > STARTING_MS_MAX) this.#starting.delete(claim)
      else starting += claim.requests
    }
    return this.#young.size + starting
  }

  /** Notes that a receiver has answered: others of its requests may be out for long and it does not hang. */
  answered(no: number, atMs: number): void {
    const receiver = this.#receivers.get(no)
    if (receiver !== undefined) receiver.answeredAtMs = atMs
  }

  /** The time of a receiver's last answer; minus infinity for none. */
  answeredAtMs(no: number): number {
    return this.#receivers.get(no)?.answeredAtMs ?? Number.NEGATIVE_INFINITY
  }

  /** True while a request is out for longer than a healthy receiver takes, and none was answered meanwhile. */
  isSlow(no: number, nowMs: number): boolean {
    const receiver = this.#receivers.get(no)
    const [oldest] = receiver?.starts ?? []
    if (receiver === undefined || oldest === undefined) return false
    return nowMs - Math.max(oldest.startedAtMs, receiver.answeredAtMs) > SLOW_LATENCY_MS
  }

  /** True where a slow receiver has so many attempts under way that they were a burden if all of them hung. */
  isBurden(no: number, nowMs: number): boolean {
    return (this.#receivers.get(no)?.starts.size ?? 0) >= BURDEN_ATTEMPTS && this.isSlow(no, nowMs)
  }

  /** True where more deliveries to a receiver would only wait here: it is slow, or enough wait for it already. */
  isBusy(no: number, nowMs: number): boolean {
    return (this.#receivers.get(no)?.limit.waiting ?? 0) >= WAITING_MAX || this.isSlow(no, nowMs)
  }

  #receiver(no: number, concurrency: number | null): Receiver {
    const known = this.#receivers.get(no)
    if (known !== undefined) return known
    const bounds = { initial: REQUESTS_AT_FIRST, max: Math.min(concurrency ?? REQUESTS_MAX, REQUESTS_MAX) }
    const receiver = {
      limit: new AdaptiveLimit(bounds),
      starts: new Set<{ startedAtMs: number }>(),
      answeredAtMs: Number.NEGATIVE_INFINITY,
    }
    this.#receivers.set(no, receiver)
    return receiver
  }

  /** Knowledge of idle receivers is kept while there are few of them. */
  #forgetIdle(no: number): void {
    const receiver = this.#receivers.get(no)
    if (receiver === undefined || this.#receivers.size <= RECEIVERS_MAX) return
    if (receiver.starts.size === 0 && receiver.limit.inFlight === 0 && receiver.limit.waiting === 0) {
      this.#receivers.delete(no)
    }
  }
}

/** Receivers whose limits are remembered while they are idle. */
const RECEIVERS_MAX = 10_000
