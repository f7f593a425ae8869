/** How much one isolate may have in the background; beyond that its consumers wait, or memory would fill with what hangs. */
export type BackgroundBounds = { count: number; bytes: number }

/** Takes a piece of work, which must not reject, and what it holds in memory; false when there is too much already. */
export type Background = { tryAdd: (work: Promise<void>, heldBytes: number) => boolean }

/** Where invocations leave what they do not wait for; counts over all invocations of an isolate. */
export class BackgroundLimit {
  readonly #limits: BackgroundBounds
  #count = 0
  #bytes = 0

  constructor(limits: BackgroundBounds) {
    this.#limits = limits
  }

  /** The background of one invocation. */
  of(keepAlive: (work: Promise<unknown>) => void): Background {
    return {
      tryAdd: (work, heldBytes) => {
        const { count, bytes } = this.#limits
        // One that is too large for the limit alone would hold its invocation up for ever.
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
