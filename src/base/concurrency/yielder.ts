import { sleep } from '../time.ts'

/** Steps of about 20 ns after which others have their turn: 10 ms. */
const STEPS_PER_TURN = 500_000

/**
 * Lets others go on between pieces of long work. Work is counted, since a Worker's clock stands still
 * while it computes.
 */
export class Yielder {
  #steps = 0
  #pause: Promise<void> | null = null

  /** Works a piece that takes so many steps; of pieces that come side by side, long ones are worked one a turn. */
  async piece<T>(work: () => { result: T; steps: number }): Promise<T> {
    while (this.#pause !== null) await this.#pause
    const { result, steps } = work()
    await this.after(steps)
    return result
  }

  /** Waits for others once the pieces since the last wait have taken long enough. */
  async after(steps: number): Promise<void> {
    this.#steps += steps
    if (this.#steps < STEPS_PER_TURN) return
    this.#steps = 0
    this.#pause = sleep(0)
    await this.#pause
    this.#pause = null
  }
}
