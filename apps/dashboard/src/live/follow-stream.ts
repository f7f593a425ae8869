import { EventSourceParserStream } from 'eventsource-parser/stream'
import { api } from '../api/client.ts'
import { ApiProblem } from '../api/problem.ts'
import type { Told } from './told.ts'

/** A stream that came to its end is opened again so soon; one that is refused, later and later. */
const AGAIN_MS = 1_000
const REFUSED_MS = 5_000
const REFUSED_MS_MAX = 60_000

export type StreamListener = {
  onOpen: (isOpen: boolean) => void
  /** Null where messages are missing. */
  onTold: (told: Told | null) => void
}

/** Follows the stream of the workspace: one request at a time, and after its end from where it ended. */
export class StreamFollower {
  readonly #listener: StreamListener
  #lastEventId: string | null = null
  #refusals = 0
  #following: AbortController | null = null

  constructor(listener: StreamListener) {
    this.#listener = listener
  }

  start(): void {
    if (this.#following !== null) return
    this.#following = new AbortController()
    void this.#follow(this.#following.signal)
  }

  stop(): void {
    this.#following?.abort()
    this.#following = null
    this.#listener.onOpen(false)
  }

  async #follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const waitMs = await this.#readOnce(signal)
      if (signal.aborted || waitMs === null) return
      this.#listener.onOpen(false)
      await pause(waitMs, signal)
    }
  }

  /** Reads one stream to its end. Answers how long to wait for the next; null where there will be none. */
  async #readOnce(signal: AbortSignal): Promise<number | null> {
    try {
      const header = this.#lastEventId === null ? {} : { 'Last-Event-ID': this.#lastEventId }
      const { data } = await api.GET('/api/v1/stream', { params: { header }, parseAs: 'stream', signal })
      if (data) await this.#read(data as ReadableStream<Uint8Array<ArrayBuffer>>)
      return AGAIN_MS
    } catch (error) {
      // Whoever may not listen may not do so later either; without its end this tab asks instead.
      if (error instanceof ApiProblem && error.status < 429) return null
      const waitMs = Math.min(REFUSED_MS * 2 ** this.#refusals++, REFUSED_MS_MAX)
      return waitMs * (0.5 + Math.random() / 2)
    }
  }

  async #read(body: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    const messages = body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream())
    const reader = messages.getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      if (value.id !== undefined) this.#lastEventId = value.id
      this.#take(value.event, value.data)
    }
  }

  #take(event: string | undefined, data: string): void {
    if (event === 'ready') {
      this.#refusals = 0
      this.#listener.onOpen(true)
    } else if (event === 'attempt' || event === 'delivery') this.#listener.onTold(JSON.parse(data) as Told)
    // A credential that has ended is found out by the next question.
    else if (event === 'gap' || event === 'end') this.#listener.onTold(null)
  }
}

/** Resolves after a time, or at once when it is called off. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  signal.addEventListener('abort', () => resolve(), { once: true })
  await promise
  clearTimeout(timer)
}
