import type { Background } from './background-limit.ts'

/** Time an invocation waits for one piece of work before it leaves it to the background. */
export const BACKGROUND_AFTER_MS = 500

/**
 * Work of one invocation that goes on side by side. A piece that takes long is left to the
 * background: neither the invocation nor the queue's next batch waits for it. The caller's claims
 * in D1 still cover it.
 */
export class TaskGroup {
  readonly #background: Background
  readonly #afterMs: number
  /** Pieces the invocation still waits for. */
  readonly #waited = new Set<Promise<void>>()

  /** `afterMs`: how long a piece is waited for before it is left to the background. */
  constructor(background: Background, afterMs = BACKGROUND_AFTER_MS) {
    this.#background = background
    this.#afterMs = afterMs
  }

  /**
   * Begins a piece of work, which must not reject; `heldBytes` estimates the memory it holds by
   * then.
   */
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
