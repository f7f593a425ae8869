type Waiter = { bytes: number; enter: () => void }

/** Counts what is held, and lets in what fits, in the order in which it came. */
export class Room {
  readonly #maxEvents: number
  readonly #maxBytes: number
  readonly #waiters: Waiter[] = []
  #events = 0
  #bytes = 0

  constructor({ maxHeldEvents, maxHeldBytes }: { maxHeldEvents: number; maxHeldBytes: number }) {
    this.#maxEvents = maxHeldEvents
    this.#maxBytes = maxHeldBytes
  }

  /** Events that wait outside. */
  get waiting(): number {
    return this.#waiters.length
  }

  get held(): number {
    return this.#events
  }

  /** Takes room at once, or answers false. */
  tryEnter(bytes: number): boolean {
    if (this.#waiters.length > 0 || !this.#fits(bytes)) return false
    this.#take(bytes)
    return true
  }

  /** Resolves once there is room, which it has taken. */
  enter(bytes: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push({ bytes, enter: resolve })
    })
  }

  leave(bytes: number): void {
    this.#events--
    this.#bytes -= bytes
    for (let next = this.#waiters[0]; next !== undefined && this.#fits(next.bytes); next = this.#waiters[0]) {
      this.#waiters.shift()
      this.#take(next.bytes)
      next.enter()
    }
  }

  /** One that is larger than all the room gets in once it is alone. */
  #fits(bytes: number): boolean {
    return this.#events === 0 || (this.#events < this.#maxEvents && this.#bytes + bytes <= this.#maxBytes)
  }

  #take(bytes: number): void {
    this.#events++
    this.#bytes += bytes
  }
}
