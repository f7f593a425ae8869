type Held = { id: string; timestamp: Date; body: unknown; attempts: number; visibleAtMs: number }

/** How each message of a batch ended: `'ack'`, or how many seconds it wants to wait; one entry per call. */
export type Ended = Map<string, ('ack' | number)[]>

/** A queue that keeps its messages until a test has them consumed, so that it can lose, double and delay them. */
export class HeldQueue {
  readonly name: string
  readonly #clock: { nowMs: number }
  #held: Held[] = []
  #nextId = 0

  constructor(name: string, clock: { nowMs: number }) {
    this.name = name
    this.#clock = clock
  }

  async send(body: unknown, options: { delaySeconds?: number } = {}): Promise<void> {
    this.put(body, options.delaySeconds)
  }

  async sendBatch(messages: readonly { body: unknown; delaySeconds?: number }[]): Promise<void> {
    for (const { body, delaySeconds } of messages) this.put(body, delaySeconds)
  }

  async metrics(): Promise<{ oldestMessageTimestamp?: Date }> {
    const [oldest] = this.#held
    return oldest === undefined ? {} : { oldestMessageTimestamp: oldest.timestamp }
  }

  put(body: unknown, delaySeconds = 0): void {
    const { nowMs } = this.#clock
    this.#held.push({
      id: `${this.name}-${this.#nextId++}`,
      timestamp: new Date(nowMs),
      body: structuredClone(body),
      attempts: 1,
      visibleAtMs: nowMs + delaySeconds * 1000,
    })
  }

  get bodies(): unknown[] {
    return this.#held.map(({ body }) => body)
  }

  get visible(): number {
    return this.#held.filter(({ visibleAtMs }) => visibleAtMs <= this.#clock.nowMs).length
  }

  /** Loses every message. */
  lose(): void {
    this.#held = []
  }

  /** Doubles every message. */
  double(): void {
    for (const body of this.bodies) this.put(body)
  }

  /** Takes up to a batch of what is visible now. */
  take(): Held[] {
    const taken = this.#held.filter(({ visibleAtMs }) => visibleAtMs <= this.#clock.nowMs).slice(0, BATCH_MAX)
    this.#held = this.#held.filter((message) => !taken.includes(message))
    return taken
  }

  /** Notes how each message of a batch ends. */
  watch(batch: MessageBatch): Ended {
    const ended: Ended = new Map(batch.messages.map(({ id }) => [id, []]))
    for (const message of batch.messages) {
      message.ack = () => void ended.get(message.id)?.push('ack')
      message.retry = (options) => void ended.get(message.id)?.push(options?.delaySeconds ?? 0)
    }
    return ended
  }

  /** Puts back what was not acked, as the platform does. */
  putBack(messages: readonly Held[], ended: Ended): void {
    for (const message of messages) {
      const end = ended.get(message.id)?.at(0) ?? 0
      if (end === 'ack') continue
      const visibleAtMs = this.#clock.nowMs + end * 1000
      this.#held.push({ ...message, attempts: message.attempts + 1, visibleAtMs })
    }
  }
}

const BATCH_MAX = 100
