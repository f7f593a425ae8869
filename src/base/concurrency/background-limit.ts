/**
 * Bounds of one isolate's background: beyond them consumers wait, or hanging receivers would fill
 * its memory.
 */
export type BackgroundBounds = { count: number; bytes: number }

/**
 * Takes over a piece of work that must not reject, with the bytes it holds. False when the isolate
 * has too much.
 */
export type Background = { tryAdd: (work: Promise<void>, heldBytes: number) => boolean }

/** Counts the work that all invocations of an isolate have left to the background. */
export class BackgroundLimit {
  readonly #limits: BackgroundBounds
  #count = 0
  #bytes = 0

  constructor(limits: BackgroundBounds) {
    this.#limits = limits
  }

  /** The background of one invocation; `keepAlive` is its `waitUntil`. */
  of(keepAlive: (work: Promise<unknown>) => void): Background {
    return {
      tryAdd: (work, heldBytes) => {
        const { count, bytes } = this.#limits
        // A piece above the limit goes alone, or its invocation would wait for ever.
        const fits = this.#count === 0 || this.#bytes + heldBytes <= bytes
        if (this.#count >= count || !fits) return false
        this.#count++
        this.#bytes += heldBytes
        keepAlive(
          work.finally(() => {
            this.#count--
            this.#bytes -= heldBytes
          }),
        )
        return true
      },
    }
  }
}
