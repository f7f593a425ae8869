import type { Counter } from './count-use.ts'
import { DayCounter, RateCounter, type StoredCounter, StoredLimit } from './counters.ts'
import type { LimiterReply, SubjectUse } from './limiter/protocol.ts'
import type { Limits } from './limits.ts'
import { secondOf } from './slots.ts'

/** One isolate's counters of one subject: one for each limit that it has. */
export class SubjectCounters {
  readonly id: string
  /** Those that a call is counted on, those that its events are, and both. */
  ofRequests: readonly Counter[] = []
  ofEvents: readonly Counter[] = []
  all: readonly Counter[] = []
  day: DayCounter | null = null
  #requests: RateCounter | null = null
  #events: RateCounter | null = null
  #limits: Readonly<Limits> | null = null

  constructor(id: string) {
    this.id = id
  }

  /** Takes over limits that have changed; what was counted for the day stays counted. */
  limitTo(limits: Readonly<Limits>, stored: StoredCounter | null, nowMs: number): void {
    if (limits === this.#limits) return
    this.#limits = limits
    const subject = this.id
    const rateOf = (before: RateCounter | null, name: 'requestsPerSecond' | 'eventsPerSecond') => {
      const limit = limits[name]
      if (limit === null) return null
      return before?.limit === limit ? before : new RateCounter({ subject, name, limit }, nowMs)
    }
    const { eventsPerDay, storedEvents } = limits
    this.#requests = rateOf(this.#requests, 'requestsPerSecond')
    this.#events = rateOf(this.#events, 'eventsPerSecond')
    if (eventsPerDay === null) this.day = null
    else if (this.day === null) this.day = new DayCounter({ subject, limit: eventsPerDay }, nowMs)
    else this.day.limit = eventsPerDay
    const ofStored =
      storedEvents === null || stored === null
        ? null
        : new StoredLimit({ subject, limit: storedEvents }, stored)
    this.ofRequests = present(this.#requests)
    this.ofEvents = present(this.#events, this.day, ofStored)
    this.all = [...this.ofRequests, ...this.ofEvents]
  }

  report(nowMs: number): SubjectUse {
    const { id, day } = this
    return {
      id,
      requests: useOf(this.#requests, nowMs),
      events: useOf(this.#events, nowMs),
      day: day?.report(nowMs) ?? null,
    }
  }

  /** Takes over the answer to a report. */
  adopt(sent: SubjectUse, reply: LimiterReply['subjects'][number], nowMs: number): void {
    adoptShare(this.#requests, sent.requests, reply.requests, nowMs)
    adoptShare(this.#events, sent.events, reply.events, nowMs)
    if (sent.day !== null && reply.othersToday !== null)
      this.day?.adoptOthers(sent.day.day, reply.othersToday)
  }
}

function present(...counters: readonly (Counter | null)[]): Counter[] {
  return counters.filter((counter) => counter !== null)
}

function useOf(rate: RateCounter | null, nowMs: number): SubjectUse['requests'] {
  return rate === null ? null : { limit: rate.limit, counts: rate.demand.before(secondOf(nowMs)) }
}

function adoptShare(
  rate: RateCounter | null,
  sent: SubjectUse['requests'],
  share: number | null,
  nowMs: number,
): void {
  const [last] = sent?.counts.at(-1) ?? []
  if (rate === null || share === null || rate.limit !== sent?.limit) return
  if (last !== undefined) rate.demand.dropUntil(last)
  rate.adoptShare(share, nowMs)
}
