import { SharedRate } from '../shared-rate.ts'
import { type SlotCounts, secondOf } from '../slots.ts'
import type { LimiterCall, LimiterReply, SubjectUse } from './protocol.ts'

/** What isolates have accepted of a subject on its newest day. */
export type DayUse = { subject: string; day: number; isolate: string; accepted: number }

/** Longest time for which D1 may not have counted an event: one that holds the watermark back gets a row by then. */
const ACCEPTED_SECONDS_KEPT = 900

/** A workspace's use over all isolates. Rates live in memory and are learnt again within seconds; days are to be kept. */
export class SharedUse {
  readonly #rates = new Map<string, SharedRate>()
  readonly #days = new Map<string, { day: number; byIsolate: Map<string, number> }>()
  readonly #accepted = new Map<string, Map<number, number>>()

  constructor(kept: readonly DayUse[] = []) {
    for (const use of kept) this.#keepDay(use)
  }

  /** Counts a report and answers it; `changed` are the days' uses that are to be kept. */
  answer(call: LimiterCall): { reply: LimiterReply; changed: DayUse[] } {
    const { isolate, subjects, stored } = call
    const second = secondOf(call.nowMs)
    const changed = subjects.flatMap(({ id, day }) => {
      const use = day === null ? null : { subject: id, isolate, ...day }
      return use !== null && this.#keepDay(use) ? [use] : []
    })
    const reply = {
      subjects: subjects.map((use) => this.#answerSubject(use, isolate, second)),
      stored: stored === null ? null : this.#countStored(isolate, stored, second),
    }
    return { reply, changed }
  }

  /** What all isolates have accepted of a subject on a day. */
  acceptedOn(subject: string, day: number): number {
    const kept = this.#days.get(subject)
    return kept?.day === day ? sum(kept.byIsolate.values()) : 0
  }

  #answerSubject({ id, requests, events, day }: SubjectUse, isolate: string, second: number) {
    const share = (name: string, use: SubjectUse['requests']) =>
      use === null ? null : this.#share(`${name} ${id}`, { isolate, second, ...use })
    return {
      id,
      requests: share('requests', requests),
      events: share('events', events),
      othersToday: day === null ? null : this.#othersOn(id, day.day, isolate),
    }
  }

  #share(name: string, use: { isolate: string; second: number; limit: number; counts: SlotCounts }): number {
    const rate = this.#rates.get(name) ?? new SharedRate()
    this.#rates.set(name, rate)
    rate.report(use.isolate, use.counts, use.second)
    return rate.shareOf(use.isolate, use.limit, use.second)
  }

  /** True where the use is news. One that comes late, or again, is none. */
  #keepDay({ subject, day, isolate, accepted }: DayUse): boolean {
    const known = this.#days.get(subject)
    if (known !== undefined && known.day > day) return false
    const byIsolate = known?.day === day ? known.byIsolate : new Map<string, number>()
    if (accepted <= (byIsolate.get(isolate) ?? 0)) return false
    byIsolate.set(isolate, accepted)
    this.#days.set(subject, { day, byIsolate })
    return true
  }

  #othersOn(subject: string, day: number, isolate: string): number {
    const known = this.#days.get(subject)
    if (known?.day !== day) return 0
    return this.acceptedOn(subject, day) - (known.byIsolate.get(isolate) ?? 0)
  }

  #countStored(isolate: string, stored: NonNullable<LimiterCall['stored']>, second: number): number {
    const own = this.#accepted.get(isolate) ?? new Map<number, number>()
    for (const [each, count] of stored.counts) own.set(each, count)
    this.#accepted.set(isolate, own)
    for (const [id, slots] of this.#accepted) {
      for (const each of slots.keys()) if (each < second - ACCEPTED_SECONDS_KEPT) slots.delete(each)
      if (slots.size === 0) this.#accepted.delete(id)
    }
    const after = [...this.#accepted.values()].flatMap((slots) =>
      [...slots].filter(([each]) => each > stored.untilSecond),
    )
    return sum(after.map(([, count]) => count))
  }
}

function sum(counts: Iterable<number>): number {
  let total = 0
  for (const count of counts) total += count
  return total
}
