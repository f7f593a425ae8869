import { BoundedMap } from '../base/concurrency/bounded-map.ts'
import { type Counter, countUse, type Reached, toSeconds } from './count-use.ts'
import { type StoredCount, StoredCounter, untilNextDayMs } from './counters.ts'
import type { LimiterCall, LimiterReply } from './limiter/protocol.ts'
import type { LimitName, LimitSubject } from './limits.ts'
import { secondOf } from './slots.ts'
import { SubjectCounters } from './subject-counters.ts'

/** Events that may be accepted, the first ones; the limit that refuses the others. */
export type Admission = {
  granted: number
  reached: Reached | null
  /** To be called once with how many were accepted in the end. */
  settle: (accepted: number) => void
}

/** A report that was answered. */
export type Answered = { sent: LimiterCall; reply: LimiterReply; counted: StoredCount | null }

/** What is left of one limit. */
export type LimitLeft = {
  subject: string
  name: LimitName
  limit: number
  left: number
  resetSeconds: number
}

const SUBJECTS_MAX = 1_000

/** One isolate's use of the limits of a workspace and its keys. It decides without asking anything. */
export class WorkspaceUse {
  readonly workspaceNo: number
  /** Names these counters to the limiter: others that follow them begin at nothing. */
  readonly isolate: string
  readonly #subjects = new BoundedMap<string, SubjectCounters>(SUBJECTS_MAX)
  readonly #touched = new Set<string>()
  #stored: StoredCounter | null = null

  constructor(workspaceNo: number, isolate: string) {
    this.workspaceNo = workspaceNo
    this.isolate = isolate
  }

  /** True where something was used that no report has carried. */
  get isTouched(): boolean {
    return this.#touched.size > 0
  }

  get countsStored(): boolean {
    return this.#stored !== null
  }

  /** Admits one call of the API, or says which limit it has reached. */
  admitRequest(subjects: readonly LimitSubject[], nowMs: number): Reached | null {
    const all = this.#countersOf(subjects, nowMs)
    return countUse(
      all.flatMap(({ ofRequests }) => ofRequests),
      1,
      nowMs,
    ).reached
  }

  /** Admits the first of so many events. */
  admitEvents(subjects: readonly LimitSubject[], count: number, now: () => number): Admission {
    const nowMs = now()
    const all = this.#countersOf(subjects, nowMs)
    const counters = all.flatMap(({ ofEvents }) => ofEvents)
    const { granted, reached } = countUse(counters, count, nowMs)
    const stored = this.#stored
    stored?.hold(granted)
    // Those that hold the events: a limit may come or go before their outcome is known.
    const days = all.map(({ day }) => day)
    const settle = (accepted: number) => {
      const endMs = now()
      for (const day of days) day?.settle(granted, accepted, endMs)
      for (const { id } of all) this.#touched.add(id)
      stored?.settle(granted, accepted, secondOf(endMs))
    }
    return { granted, reached, settle }
  }

  /** What is left of each limit that is counted, as this isolate knows it. */
  left(subjects: readonly LimitSubject[], nowMs: number): LimitLeft[] {
    return this.#countersOf(subjects, nowMs).flatMap(({ all }) => all.map((each) => leftOf(each, nowMs)))
  }

  /** A report of all that was used since the last one. */
  report(nowMs: number, counted: StoredCount | null): LimiterCall {
    const subjects = [...this.#touched].flatMap((id) => this.#subjects.peek(id)?.report(nowMs) ?? [])
    this.#touched.clear()
    const stored =
      counted === null || this.#stored === null
        ? null
        : { counts: this.#stored.accepted.before(secondOf(nowMs)), untilSecond: counted.untilSecond }
    return { v: 1, isolate: this.isolate, nowMs, subjects, stored }
  }

  /** Takes over the answer to a report, and the count of D1 that went with it. */
  adopt({ sent, reply, counted }: Answered, nowMs: number): void {
    for (const answer of reply.subjects) {
      const use = sent.subjects.find(({ id }) => id === answer.id)
      if (use !== undefined) this.#subjects.peek(answer.id)?.adopt(use, answer, nowMs)
    }
    if (sent.stored === null || reply.stored === null || counted === null) return
    const [last] = sent.stored.counts.at(-1) ?? []
    if (last !== undefined) this.#stored?.accepted.dropUntil(last)
    this.#stored?.adopt(counted, reply.stored, sent.nowMs)
  }

  #countersOf(subjects: readonly LimitSubject[], nowMs: number): SubjectCounters[] {
    return subjects.map(({ id, limits }) => {
      if (limits.storedEvents !== null) this.#stored ??= new StoredCounter()
      const counters = this.#subjects.get(id) ?? new SubjectCounters(id)
      this.#subjects.set(id, counters)
      counters.limitTo(limits, this.#stored, nowMs)
      this.#touched.add(id)
      return counters
    })
  }
}

function leftOf(counter: Counter, nowMs: number): LimitLeft {
  const { subject, name, limit } = counter
  // A day's use begins anew at midnight, whatever is left of it.
  const waitMs = name === 'eventsPerDay' ? untilNextDayMs(nowMs) : counter.waitMs(nowMs)
  return { subject, name, limit, left: counter.left(nowMs), resetSeconds: toSeconds(waitMs) }
}
