import { DAY_MS } from '../base/time.ts'
import type { Counter } from './count-use.ts'
import { Slots, secondOf } from './slots.ts'
import { TokenBucket } from './token-bucket.ts'

/** Seconds that wait for a report: more than lie between two. */
const SECONDS_UNREPORTED_MAX = 12
/** A share that no report renews is over: the others may have stopped. */
const SHARE_MS = 5_000

/** The limit that a counter is of. */
export type Counted = Pick<Counter, 'subject' | 'name' | 'limit'>

/** One isolate's use of a limit per second. */
export class RateCounter implements Counter {
  readonly subject: string
  readonly name: Counter['name']
  readonly limit: number
  /** All that was asked for, refused or not: shares are made of it. */
  readonly demand = new Slots(SECONDS_UNREPORTED_MAX)
  readonly #bucket: TokenBucket
  #shareUntilMs = 0

  constructor({ subject, name, limit }: Counted, nowMs: number) {
    this.subject = subject
    this.name = name
    this.limit = limit
    this.#bucket = new TokenBucket(limit, nowMs)
  }

  left(nowMs: number): number {
    this.#endShare(nowMs)
    return this.#bucket.left(nowMs)
  }

  use(asked: number, granted: number, nowMs: number): void {
    this.#endShare(nowMs)
    this.demand.add(asked, secondOf(nowMs))
    this.#bucket.use(granted, nowMs)
  }

  waitMs(nowMs: number): number {
    this.#endShare(nowMs)
    return this.#bucket.waitMs(nowMs)
  }

  /** Goes on with a part of the limit, as all isolates' use demands. */
  adoptShare(share: number, nowMs: number): void {
    this.#bucket.setRate(this.limit * share, nowMs)
    this.#shareUntilMs = nowMs + SHARE_MS
  }

  #endShare(nowMs: number): void {
    if (nowMs > this.#shareUntilMs) this.#bucket.setRate(this.limit, nowMs)
  }
}

/** The day since 1970, UTC, that a time lies in. */
export function dayOf(nowMs: number): number {
  return Math.floor(nowMs / DAY_MS)
}

export function untilNextDayMs(nowMs: number): number {
  return (dayOf(nowMs) + 1) * DAY_MS - nowMs
}

/** One isolate's part of a day's events, and what it knows of the others'. */
export class DayCounter implements Counter {
  readonly subject: string
  readonly name = 'eventsPerDay'
  limit: number
  #day: number
  #accepted = 0
  /** Events under way, whose outcome is not known. */
  #held = 0
  #others = 0

  constructor({ subject, limit }: Omit<Counted, 'name'>, nowMs: number) {
    this.subject = subject
    this.limit = limit
    this.#day = dayOf(nowMs)
  }

  left(nowMs: number): number {
    this.#turn(nowMs)
    return Math.max(0, this.limit - this.#accepted - this.#held - this.#others)
  }

  /** Holds what was granted, until its outcome is known. */
  use(_asked: number, granted: number, nowMs: number): void {
    this.#turn(nowMs)
    this.#held += granted
  }

  /** Ends what was held; those accepted count for the day of their end. */
  settle(held: number, accepted: number, nowMs: number): void {
    this.#turn(nowMs)
    this.#held -= held
    this.#accepted += accepted
  }

  waitMs(nowMs: number): number {
    return this.left(nowMs) > 0 ? 0 : untilNextDayMs(nowMs)
  }

  /** What this isolate has accepted on its day; it never falls within a day. */
  report(nowMs: number): { day: number; accepted: number } {
    this.#turn(nowMs)
    return { day: this.#day, accepted: this.#accepted }
  }

  /** Takes over what the other isolates have accepted. */
  adoptOthers(day: number, accepted: number): void {
    if (day === this.#day) this.#others = accepted
  }

  #turn(nowMs: number): void {
    const day = dayOf(nowMs)
    // A clock that was set back stays on the day that it had reached.
    if (day <= this.#day) return
    this.#day = day
    this.#accepted = 0
    this.#others = 0
  }
}

/** What D1 has counted of a workspace's events: all that were accepted up to a second. */
export type StoredCount = { events: number; untilSecond: number }

/** A count of D1 that is older says little: a purge may have made room since. */
const COUNTED_MS_MAX = 15_000

/** A workspace's stored events: those that D1 has counted, and those accepted since. */
export class StoredCounter {
  /** Own events that no report has carried yet. */
  readonly accepted = new Slots(SECONDS_UNREPORTED_MAX)
  #counted: StoredCount = { events: 0, untilSecond: 0 }
  #reported = 0
  #adoptedAtMs = 0
  #held = 0

  /** What a limit leaves, as far as this isolate knows: never more are taken to be stored than are. */
  left(limit: number, nowMs: number): number {
    const isKnown = nowMs - this.#adoptedAtMs <= COUNTED_MS_MAX
    const others = isKnown ? this.#counted.events + this.#reported : 0
    const own = this.accepted.sumAfter(this.#counted.untilSecond)
    return Math.max(0, limit - others - own - this.#held)
  }

  hold(count: number): void {
    this.#held += count
  }

  settle(held: number, accepted: number, second: number): void {
    this.#held -= held
    if (accepted > 0) this.accepted.add(accepted, second)
  }

  /** Takes over a count of D1, and what all isolates have reported to have accepted since. */
  adopt(counted: StoredCount, reported: number, nowMs: number): void {
    this.#counted = counted
    this.#reported = reported
    this.#adoptedAtMs = nowMs
  }
}

/** Events are stored as long as their retention says: nothing tells when the next one goes. */
const STORED_RETRY_MS = 60_000

/** One subject's limit of a workspace's stored events. */
export class StoredLimit implements Counter {
  readonly subject: string
  readonly name = 'storedEvents'
  readonly limit: number
  readonly #stored: StoredCounter

  constructor({ subject, limit }: Omit<Counted, 'name'>, stored: StoredCounter) {
    this.subject = subject
    this.limit = limit
    this.#stored = stored
  }

  left(nowMs: number): number {
    return this.#stored.left(this.limit, nowMs)
  }

  waitMs(): number {
    return STORED_RETRY_MS
  }

  /** Held once for the workspace, however many subjects have a limit of it. */
  use(): void {}
}
