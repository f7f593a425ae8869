import type { RateLimit } from '../../../../src/pacing/settings.ts'
import { BATCH, createPacer, NOW_MS, startsOf } from './calls.ts'

/** A request is answered within this time. */
const ANSWER_MS_MAX = 5_000
/** Whoever is woken comes so late at most. */
const LATE_MS_MAX = 200
const SEEN = { events: 1_000_000, isDue: false }

/** What is simulated; `random` gives 0 to 1. */
type Options = { limit: RateLimit; withBatches: boolean; random: () => number; seconds?: number }

/** A backlog without end: consumers come at each wake-up, a little late, and go on when they have reported. */
export class Backlog {
  readonly #limit: RateLimit
  readonly #random: () => number
  readonly #pacer: ReturnType<typeof createPacer>
  readonly #endMs: number
  readonly #reports: { atMs: number; leaseId: string }[] = []
  /** When each request starts, in the order of the grants. */
  readonly starts: number[] = []
  #comesAtMs: number

  constructor({ limit, withBatches, random, seconds }: Options) {
    this.#limit = limit
    this.#random = random
    this.#pacer = createPacer({ rate: limit, batch: withBatches ? { ...BATCH, maxEvents: 1 } : null })
    this.#endMs = NOW_MS + 1000 * (seconds ?? Math.max(20, 10 * limit.perSeconds))
    this.#comesAtMs = NOW_MS
  }

  /** Which part of what the limit allows is used until the end. */
  usedShare(): number {
    this.run()
    const { requests, perSeconds } = this.#limit
    return this.starts.length / ((requests / perSeconds) * ((this.#endMs - NOW_MS) / 1000))
  }

  run(): void {
    while (this.#pacer.nowMs < this.#endMs) this.#step()
  }

  #step(): void {
    const pacer = this.#pacer
    const report = this.#nextReport()
    const wokenForMs = pacer.wakeAtMs
    pacer.nowMs = report?.atMs ?? this.#comesAtMs
    const reply =
      report === undefined
        ? pacer.call({ waiting: { ...SEEN, bytes: 0, sinceMs: NOW_MS } })
        : pacer.finish(report.leaseId, SEEN, 0, true)
    const starts = startsOf(reply, pacer.nowMs)
    this.starts.push(...starts.filter((startMs) => startMs < this.#endMs))
    if (reply.kind === 'go') {
      const atMs = (starts.at(-1) ?? pacer.nowMs) + this.#upTo(ANSWER_MS_MAX)
      this.#reports.push({ atMs: Math.ceil(atMs), leaseId: reply.leaseId })
    }
    // The alarm rings for the latest wish; who has come without it does not move one that stands.
    if (report === undefined || pacer.wakeAtMs !== wokenForMs) {
      this.#comesAtMs = Math.ceil(pacer.wakeAtMs ?? this.#endMs) + this.#upTo(LATE_MS_MAX)
    }
  }

  #nextReport() {
    this.#reports.sort((one, other) => one.atMs - other.atMs)
    const [first] = this.#reports
    return first !== undefined && first.atMs <= this.#comesAtMs ? this.#reports.shift() : undefined
  }

  #upTo(ms: number): number {
    return Math.floor(this.#random() * ms)
  }
}
