import { sleep } from '../time.ts'

/** Steps of about 20 ns after which others have their turn: 10 ms. */
const STEPS_PER_TURN = 500_000

/** Does the work of a task that yields without a rest. */
export function atOnce<T>(task: Generator<void, T, void>): T {
  for (;;) {
    const { done, value } = task.next()
    if (done === true) return value
  }
}

/**
 * Lets others go on between pieces of long work. Work is counted, since a Worker's clock stands still
 * while it computes.
 */
export class Yielder {
  #steps = 0
  #pause: Promise<void> | null = null

  /** Works a task that yields where others may have their turn; of tasks side by side, one works at a time. */
  async work<T>(task: Generator<void, T, void>): Promise<T> {
    for (let turns = 0; ; turns++) {
      while (this.#pause !== null) await this.#pause
      const state = task.next()
      if (!state.done || turns > 0) await this.#rest()
      if (state.done) return state.value
    }
  }

  /** Waits for others once the pieces since the last wait have taken long enough. */
  async after(steps: number): Promise<void> {
    this.#steps += steps
    if (this.#steps < STEPS_PER_TURN) return
    await this.#rest()
  }

  async #rest(): Promise<void> {
    this.#steps = 0
    this.#pause = sleep(0)
    await this.#pause
    this.#pause = null
  }
}
