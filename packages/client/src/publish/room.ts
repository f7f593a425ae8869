/** An event, or with `null` a caller who asks for room and takes none. */
type Waiter = { bytes: number | null; enter: () => void }

/** Counts what is held, and lets in what fits, in the order in which it came. */
export class Room {
  readonly #maxEvents: number
  readonly #maxBytes: number
  readonly #waiters: Waiter[] = []
  #events = 0
  #bytes = 0
  #waitingEvents = 0
  #waitingBytes = 0

  constructor({ maxHeldEvents, maxHeldBytes }: { maxHeldEvents: number; maxHeldBytes: number }) {
    this.#maxEvents = maxHeldEvents
    this.#maxBytes = maxHeldBytes
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

  /** True while less waits outside than may be held; one that is larger than that waits where no other does. */
  canWait(bytes: number): boolean {
    if (this.#waitingEvents === 0) return true
    return this.#waitingEvents < this.#maxEvents && this.#waitingBytes + bytes <= this.#maxBytes
  }

  /** Resolves once there is room, which it has taken. */
  async enter(bytes: number): Promise<void> {
    this.#waitingEvents++
    this.#waitingBytes += bytes
    await this.#wait(bytes)
  }

  /** Resolves once there is room, after all that came before. */
  async ready(): Promise<void> {
    if (this.#waiters.length > 0 || !this.#fits(0)) await this.#wait(null)
  }

  leave(bytes: number): void {
    this.#events--
    this.#bytes -= bytes
    for (
      let next = this.#waiters[0];
      next !== undefined && this.#fits(next.bytes ?? 0);
      next = this.#waiters[0]
    ) {
      this.#waiters.shift()
      if (next.bytes !== null) this.#admit(next.bytes)
      next.enter()
    }
  }

  #wait(bytes: number | null): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push({ bytes, enter: resolve })
    })
  }

  #admit(bytes: number): void {
    this.#waitingEvents--
    this.#waitingBytes -= bytes
    this.#take(bytes)
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
