import type { SignatureCheck } from './signatures.ts'

export type Arrival = {
  id: string
  receivedAt: Date
  receivedAtMs: number
  bytes: number
  signatures: SignatureCheck
}

/** An arrival whose publish is known; the latency counts from the moment the publish was sent. */
export type MatchedArrival = Arrival & { type: string; latencyMs: number }

type Published = { type: string; sentAtMs: number }

/** What was published and what came of it. An event may well arrive before its publish is answered. */
export class Tally {
  readonly matched: MatchedArrival[] = []
  readonly #published = new Map<string, Published>()
  readonly #early: Arrival[] = []
  readonly #complete = Promise.withResolvers<void>()
  readonly #show: (arrival: MatchedArrival) => void
  #sealed = false

  constructor(show: (arrival: MatchedArrival) => void) {
    this.#show = show
  }

  published(id: string, event: Published): void {
    this.#published.set(id, event)
    for (const arrival of this.#early.filter((early) => early.id === id)) this.#match(arrival, event)
  }

  arrived(arrival: Arrival): void {
    const event = this.#published.get(arrival.id)
    if (event === undefined) this.#early.push(arrival)
    else this.#match(arrival, event)
  }

  /** Resolves when everything published has arrived, or with the time limit; rejects when `signal` is aborted. */
  async settle(limitMs: number, signal: AbortSignal): Promise<void> {
    this.#sealed = true
    this.#check()
    const limit = Promise.withResolvers<void>()
    const timer = setTimeout(limit.resolve, limitMs)
    signal.addEventListener('abort', () => limit.reject(signal.reason), { once: true })
    if (signal.aborted) limit.reject(signal.reason)
    try {
      await Promise.race([this.#complete.promise, limit.promise])
    } finally {
      clearTimeout(timer)
    }
  }

  get publishedCount(): number {
    return this.#published.size
  }

  missing(): { id: string; type: string }[] {
    const arrived = new Set(this.matched.map(({ id }) => id))
    return [...this.#published].filter(([id]) => !arrived.has(id)).map(([id, { type }]) => ({ id, type }))
  }

  unsigned(): MatchedArrival[] {
    return this.matched.filter(({ signatures: { standard, hex } }) => standard !== 'ok' || hex !== 'ok')
  }

  #match(arrival: Arrival, { type, sentAtMs }: Published): void {
    const matched = { ...arrival, type, latencyMs: arrival.receivedAtMs - sentAtMs }
    this.matched.push(matched)
    this.#show(matched)
    this.#check()
  }

  #check(): void {
    if (this.#sealed && this.missing().length === 0) this.#complete.resolve()
  }
}
