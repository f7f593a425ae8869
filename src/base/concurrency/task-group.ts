import type { Background } from './background-limit.ts'

/** How long an invocation waits for one piece of work; then it goes on in the background and others get their turn. */
export const BACKGROUND_AFTER_MS = 500

/**
 * Work that goes on side by side in one invocation. A piece that takes long, since a receiver hangs, is left to the
 * background: neither its invocation nor the queue's next batch waits for it. D1 knows who is responsible all the while.
 */
export class TaskGroup {
  readonly #background: Background
  /** Pieces that are waited for; each is also given to the background when it takes too long. */
  readonly #waited = new Set<Promise<void>>()

  constructor(background: Background) {
    this.#background = background
  }

  /** Begins a piece of work, which must not reject; `heldBytes` says about how much memory it takes by then. */
  start(work: Promise<void>, heldBytes: () => number): void {
    const ended = Promise.withResolvers<void>()
    let timer = setTimeout(leave, BACKGROUND_AFTER_MS)
    const background = this.#background
    function leave(): void {
      if (background.tryAdd(work, heldBytes())) ended.resolve()
      else timer = setTimeout(leave, BACKGROUND_AFTER_MS)
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
