import { BoundedMap } from '../base/concurrency/bounded-map.ts'
import { marginMsOf } from './pacer/rate.ts'
import type { RateLimit } from './settings.ts'

const SUBSCRIPTIONS_MAX = 10_000
/** Late starts that are remembered of one subscription: those of a second that was slept through. */
const LATE_MAX = 1_000

/** Requests whose time is `fromMs` or later start at `notBeforeMs` or later. */
type Bound = { fromMs: number; notBeforeMs: number }

/** Keeps one subscription's starts apart where some were late. */
export type StartWindow = {
  /** The earliest start of the request of this time. */
  earliestMs: (timeMs: number, nowMs: number) => number
  /** To be called when the request of this time starts. */
  record: (timeMs: number, startedAtMs: number) => void
}

/**
 * The starts of this isolate that came later than their times. A pacer's times keep to a limit, and so do starts that
 * are all on time. One that was late is followed too closely by the first that would not be in its window any more.
 * This one is held back, and is late itself, by less: so lateness is worn off, and no time is lost.
 */
export class LateStarts {
  readonly #bounds = new BoundedMap<number, Bound[]>(SUBSCRIPTIONS_MAX)

  /** The window of a subscription's limit. */
  window(subscriptionNo: number, limit: RateLimit): StartWindow {
    const windowMs = limit.perSeconds * 1000
    const marginMs = marginMsOf(limit)
    const lateMs = marginMs / 4
    return {
      earliestMs: (timeMs, nowMs) => {
        const bounds = this.#live(subscriptionNo, nowMs).filter(({ fromMs }) => fromMs <= timeMs)
        return Math.max(timeMs, ...bounds.map(({ notBeforeMs }) => notBeforeMs))
      },
      record: (timeMs, startedAtMs) => {
        if (startedAtMs - timeMs <= lateMs) return
        // A millisecond less than the pacer keeps: times are rounded.
        const fromMs = timeMs + windowMs + marginMs - 1
        const bound = { fromMs, notBeforeMs: startedAtMs + windowMs + marginMs - lateMs }
        const bounds = [...this.#live(subscriptionNo, startedAtMs), bound]
        this.#bounds.set(subscriptionNo, bounds.slice(-LATE_MAX))
      },
    }
  }

  /** Forgets bounds that hold nothing back any more. */
  #live(subscriptionNo: number, nowMs: number): Bound[] {
    const bounds = this.#bounds.get(subscriptionNo) ?? []
    const live = bounds.filter(({ notBeforeMs }) => notBeforeMs > nowMs)
    if (live.length === 0) this.#bounds.delete(subscriptionNo)
    else if (live.length < bounds.length) this.#bounds.set(subscriptionNo, live)
    return live
  }
}
