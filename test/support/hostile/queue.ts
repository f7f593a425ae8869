import { HeldQueue } from '../rig/held-queue.ts'

type Taken = ReturnType<HeldQueue['take']>

/** How often a queue loses a message, doubles it, or holds one back and hands out the rest in another order. */
export type Hostility = { lose: number; double: number; delay: number }

/** A queue that does what production may do to hints, as often as it is told; chance comes from `random`. */
export class HostileQueue extends HeldQueue {
  readonly #random: () => number
  readonly #hostility: Hostility
  lost = 0
  doubled = 0

  constructor(name: string, clock: { nowMs: number }, random: () => number, hostility: Hostility) {
    super(name, clock)
    this.#random = random
    this.#hostility = hostility
  }

  override put(body: unknown, delaySeconds = 0): void {
    const { lose, double } = this.#hostility
    if (this.#random() < lose) {
      this.lost++
      return
    }
    super.put(body, delaySeconds)
    if (this.#random() >= double) return
    this.doubled++
    super.put(body, delaySeconds + Math.floor(this.#random() * 20))
  }

  override take(): Taken {
    const all = super.take()
    const isLate = all.map(() => this.#random() < this.#hostility.delay)
    const late = all.filter((_, i) => isLate[i])
    this.putBack(late, new Map(late.map(({ id }) => [id, [1]])))
    const order = new Map(all.map(({ id }) => [id, this.#random()]))
    return all.filter((_, i) => !isLate[i]).sort((a, b) => (order.get(a.id) ?? 0) - (order.get(b.id) ?? 0))
  }
}

/** Numbers in [0, 1) that the seed decides (mulberry32). */
export function chance(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
