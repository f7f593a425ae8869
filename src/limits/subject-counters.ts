import { DayCounter, RateCounter } from './counters.ts'
import type { LimiterReply, SubjectUse } from './limiter/protocol.ts'
import type { Limits } from './limits.ts'
import { secondOf } from './slots.ts'

/** One isolate's counters of one subject: one for each limit that it has. */
export class SubjectCounters {
  readonly id: string
  requests: RateCounter | null = null
  events: RateCounter | null = null
  day: DayCounter | null = null
  #limits: Limits | null = null

  constructor(id: string) {
    this.id = id
  }

  /** Takes over limits that have changed; what was counted for the day stays counted. */
  limitTo(limits: Limits, nowMs: number): void {
    if (limits === this.#limits) return
    this.#limits = limits
    const { requestsPerSecond, eventsPerSecond, eventsPerDay } = limits
    this.requests = rateOf(this.requests, requestsPerSecond, nowMs)
    this.events = rateOf(this.events, eventsPerSecond, nowMs)
    if (eventsPerDay === null) this.day = null
    else if (this.day === null) this.day = new DayCounter(eventsPerDay, nowMs)
    else this.day.limit = eventsPerDay
  }

  report(nowMs: number): SubjectUse {
    const { id, requests, events, day } = this
    return {
      id,
      requests: useOf(requests, nowMs),
      events: useOf(events, nowMs),
      day: day?.report(nowMs) ?? null,
    }
  }

  /** Takes over the answer to a report. */
  adopt(sent: SubjectUse, reply: LimiterReply['subjects'][number], nowMs: number): void {
    adoptShare(this.requests, sent.requests, reply.requests, nowMs)
    adoptShare(this.events, sent.events, reply.events, nowMs)
    if (sent.day !== null && reply.othersToday !== null)
      this.day?.adoptOthers(sent.day.day, reply.othersToday)
  }
}

function rateOf(before: RateCounter | null, limit: number | null, nowMs: number): RateCounter | null {
  if (limit === null) return null
  return before?.limit === limit ? before : new RateCounter(limit, nowMs)
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
