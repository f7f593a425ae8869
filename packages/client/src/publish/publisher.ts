import type { Schemas } from '../api.ts'
import { PosthornError } from '../errors.ts'
import type { Transport } from '../http/transport.ts'
import { checkTimeoutMs } from '../http/wait.ts'
import { BatchQueue } from './batch-queue.ts'
import { bytesOf, checkEvent, type NewEvent, textOf } from './new-event.ts'
import { type PublisherOptions, type PublisherSettings, readPublisherOptions } from './publisher-options.ts'
import { Room } from './room.ts'
import { type Pushed, sendBatch } from './send-batch.ts'

type Accepted = Schemas['AcceptedEvent']

/** Publishes single events in batches, and holds no more of them than it may. */
export class Publisher {
  readonly #settings: PublisherSettings
  readonly #room: Room
  readonly #queue: BatchQueue
  readonly #stop = new AbortController()
  /** Pushes whose outcome is not known yet. */
  readonly #pending = new Set<Promise<unknown>>()
  #flushes = 0
  #isClosed = false

  constructor(transport: Transport, options: PublisherOptions = {}) {
    this.#settings = readPublisherOptions(options)
    this.#room = new Room(this.#settings)
    const { giveUpAfterMs } = this.#settings
    const sending = { transport, giveUpAfterMs, signal: this.#stop.signal }
    this.#queue = new BatchQueue(this.#settings, (batch) => sendBatch(sending, batch))
  }

  /** Events held now: queued or on the way. */
  get held(): number {
    return this.#room.held
  }

  /**
   * Publishes an event together with others; resolves once it is committed, rejects where it is refused. While the
   * publisher holds as much as it may, the event waits outside: await pushes, or `ready()` before each, to be held
   * back. As many events and bytes again may wait outside; what comes then is rejected as `buffer_full`.
   */
  async push(event: NewEvent): Promise<Accepted> {
    if (this.#isClosed)
      throw new PosthornError('closed', 'The publisher was closed: the event was not published')
    const text = textOf(checkEvent(event))
    const pushing = this.#push({ text, bytes: bytesOf(text) + 1, hasId: event.id !== undefined })
    this.#pending.add(pushing)
    try {
      return await pushing
    } finally {
      this.#pending.delete(pushing)
    }
  }

  /** Resolves once there is room for an event. */
  async ready(): Promise<void> {
    await this.#room.ready()
  }

  /** Sends all that was pushed so far without waiting for company; resolves once each has an outcome. */
  async flush(): Promise<void> {
    this.#flushes++
    this.#queue.hurry(true)
    await Promise.allSettled(this.#pending)
    this.#flushes--
    this.#queue.hurry(this.#flushes > 0)
  }

  /**
   * Takes nothing more, and resolves once everything has an outcome. What has none after `timeoutMs` is rejected as
   * `closed`: it may or may not have been accepted.
   */
  async close({ timeoutMs }: { timeoutMs?: number } = {}): Promise<void> {
    if (timeoutMs !== undefined) checkTimeoutMs(timeoutMs)
    this.#isClosed = true
    const timer = timeoutMs === undefined ? null : setTimeout(() => this.#stop.abort(), timeoutMs)
    try {
      await this.flush()
    } finally {
      if (timer !== null) clearTimeout(timer)
    }
  }

  async #push(event: Omit<Pushed, 'resolve' | 'reject'>): Promise<Accepted> {
    const { bytes } = event
    if (!this.#room.tryEnter(bytes)) {
      if (!this.#room.canWait(bytes)) throw bufferFull(this.#room.held)
      await this.#room.enter(bytes)
    }
    try {
      return await new Promise<Accepted>((resolve, reject) => {
        this.#queue.add({ ...event, resolve, reject })
      })
    } finally {
      this.#room.leave(bytes)
    }
  }
}

function bufferFull(held: number): PosthornError {
  const message = `The publisher holds ${held} events, and as much waits: await push() or ready(). The event was not published`
  return new PosthornError('buffer_full', message)
}
