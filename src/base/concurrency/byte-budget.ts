/** A share of a budget, to be released in `finally`. */
export type ByteHold = {
  /** Takes the true size once it is known; it may be above what was asked for. */
  resize: (bytes: number) => void
  /** May be called twice. */
  release: () => void
}

type Held = { bytes: number; sinceMs: number }
type Waiting = { bytes: number; untilMs: number; resolve: (hold: ByteHold | null) => void }

/** A hold is over by then; the platform may have cancelled its invocation without a word. */
const HOLD_MS_MAX = 120_000
/** More in the queue could not be served before they give up. */
const WAITING_MAX = 2_000

/** Bounds the bytes that all invocations of an isolate hold at once; first come, first served. */
export class ByteBudget {
  readonly #bytesMax: number
  readonly #now: () => number
  readonly #held = new Set<Held>()
  #waiting: Waiting[] = []
  #bytes = 0

  constructor(bytesMax: number, now: () => number) {
    this.#bytesMax = bytesMax
    this.#now = now
  }

  /** Holds bytes as soon as they fit; null where they still do not after `waitMs`. */
  async hold(bytes: number, waitMs: number): Promise<ByteHold | null> {
    this.#forgetCancelled()
    this.#grant()
    if (this.#waiting.length === 0 && this.#fits(bytes)) return this.#add(bytes)
    if (this.#waiting.length >= WAITING_MAX) return null
    const { promise, resolve } = Promise.withResolvers<ByteHold | null>()
    const waiting = { bytes, untilMs: this.#now() + waitMs, resolve }
    this.#waiting.push(waiting)
    const timer = setTimeout(() => this.#giveUp(waiting), waitMs)
    try {
      return await promise
    } finally {
      clearTimeout(timer)
    }
  }

  /** A share above the whole budget goes alone, or it would wait for ever. */
  #fits(bytes: number): boolean {
    return this.#held.size === 0 || this.#bytes + bytes <= this.#bytesMax
  }

  #add(bytes: number): ByteHold {
    const held = { bytes, sinceMs: this.#now() }
    this.#held.add(held)
    this.#bytes += bytes
    return {
      resize: (size) => {
        if (!this.#held.has(held)) return
        this.#bytes += size - held.bytes
        held.bytes = size
        this.#grant()
      },
      release: () => {
        this.#forget(held)
        this.#grant()
      },
    }
  }

  /** Serves the queue in order, without those that nobody waits for any more. */
  #grant(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const isLate = next.untilMs < this.#now()
      if (!isLate && !this.#fits(next.bytes)) return
      this.#waiting.shift()
      next.resolve(isLate ? null : this.#add(next.bytes))
    }
  }

  #giveUp(waiting: Waiting): void {
    this.#waiting = this.#waiting.filter((other) => other !== waiting)
    waiting.resolve(null)
    this.#grant()
  }

  /** The oldest come first. */
  #forgetCancelled(): void {
    const nowMs = this.#now()
    for (const held of this.#held) {
      if (nowMs - held.sinceMs <= HOLD_MS_MAX) return
      this.#forget(held)
    }
  }

  #forget(held: Held): void {
    if (this.#held.delete(held)) this.#bytes -= held.bytes
  }
}
