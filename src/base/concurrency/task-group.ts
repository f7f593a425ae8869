import type { Background } from './background-limit.ts'

/** How long an invocation waits for one piece of work; then it goes on in the background and others get their turn. */
export const BACKGROUND_AFTER_MS = 500

/**
 * Work that goes on side by side in one invocation. A piece that takes long, since a receiver hangs, is left to the
 * background: neither its invocation nor the queue's next batch waits for it. D1 knows who is responsible all the while.
 */
export class TaskGroup {
  readonly #background: Background
  readonly #afterMs: number
  /** Pieces that are waited for; each is also given to the background when it takes too long. */
  readonly #waited = new Set<Promise<void>>()

  /** `afterMs`: how long a piece is waited for before it is left to the background. */
  constructor(background: Background, afterMs = BACKGROUND_AFTER_MS) {
    this.#background = background
    this.#afterMs = afterMs
  }

  /** Begins a piece of work, which must not reject; `heldBytes` says about how much memory it takes by then. */
  start(work: Promise<void>, heldBytes: () => number): void {
    const ended = Promise.withResolvers<void>()
    const background = this.#background
    const afterMs = this.#afterMs
    let timer = setTimeout(leave, afterMs)
    function leave(): void {
      if (background.tryAdd(work, heldBytes())) ended.resolve()
      else timer = setTimeout(leave, afterMs)
    }
    const waited = Promise.race([work, ended.promise]).finally(() => {
      clearTimeout(timer)
      this.#waited.delete(waited)
    })
    this.#waited.add(waited)
  }

  /** Waits until fewer than `count` pieces are waited for. */
  async untilBelow(count: number): Promise<void> {
    while (this.#waited.size >= count) await Promise.race(this.#waited)
  }

  /** Waits for all that is still waited for. */
  async join(): Promise<void> {
    await Promise.all(this.#waited)
  }
}
