import { sleep } from '../time.ts'

/** Steps of about 20 ns after which others have their turn: 10 ms. */
const STEPS_PER_TURN = 500_000

/**
 * Lets others go on between pieces of long work. Work is counted, since a Worker's clock stands still
 * while it computes.
 */
export class Yielder {
  #steps = 0

  /** Waits for others once the pieces since the last wait have taken long enough. */
  async after(steps: number): Promise<void> {
    this.#steps += steps
    if (this.#steps < STEPS_PER_TURN) return
    this.#steps = 0
    await sleep(0)
  }
}
