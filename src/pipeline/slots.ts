/**
 * Bounds how many requests are in flight. Workers allow six per invocation and make a seventh wait inside `fetch`,
 * with its timeout already running; waiting here instead keeps a queue of our own from looking like a slow receiver.
 * A free slot goes to the owner who holds the fewest, so that one receiver that hangs does not take them all while
 * others wait.
 */
export class Slots {
  #free: number
  readonly #held = new Map<number, number>()
  readonly #waiting = new Map<number, (() => void)[]>()
  #isGranting = false

  constructor(count: number) {
    this.#free = count
  }

  /** Runs work when a slot is free. `owner` is whom it is for: a subscription's number. */
  async run<T>(owner: number, work: () => Promise<T>): Promise<T> {
    await this.#slot(owner)
    try {
      return await work()
    } finally {
      this.#give(owner)
    }
  }

  #slot(owner: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const queue = this.#waiting.get(owner)
    if (queue === undefined) this.#waiting.set(owner, [resolve])
    else queue.push(resolve)
    this.#grantSoon()
    return promise
  }

  /** Not at once: those who ask in the same turn are to be compared, not served in the order of their asking. */
  #grantSoon(): void {
    if (this.#isGranting) return
    this.#isGranting = true
    queueMicrotask(() => {
      this.#isGranting = false
      while (this.#free > 0 && this.#waiting.size > 0) this.#grant()
    })
  }

  #grant(): void {
    const owner = this.#neediest()
    const queue = this.#waiting.get(owner) ?? []
    const go = queue.shift()
    // Who has been served goes behind those who hold as few.
    this.#waiting.delete(owner)
    if (queue.length > 0) this.#waiting.set(owner, queue)
    if (go === undefined) return
    this.#free--
    this.#held.set(owner, (this.#held.get(owner) ?? 0) + 1)
    go()
  }

  #neediest(): number {
    let neediest = 0
    let fewest = Number.POSITIVE_INFINITY
    for (const owner of this.#waiting.keys()) {
      const held = this.#held.get(owner) ?? 0
      if (held >= fewest) continue
      fewest = held
      neediest = owner
    }
    return neediest
  }

  #give(owner: number): void {
    this.#free++
    const held = (this.#held.get(owner) ?? 1) - 1
    if (held === 0) this.#held.delete(owner)
    else this.#held.set(owner, held)
    this.#grantSoon()
  }
}
