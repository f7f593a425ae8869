import type { StreamFilter } from '../filter.ts'
import type { TellCall } from '../message.ts'
import { type EndReason, Listener } from './listener.ts'
import { RecentMessages } from './recent.ts'

/** Listeners of a workspace at once. */
export const LISTENERS_MAX = 20

/** One who wants to listen; `lastEventId` is where they were before. */
export type Listening = { id: string; filter: StreamFilter; lastEventId: string | null }

/** The listeners of one workspace, and its newest messages. */
export class Hub {
  /** Numbers of another life of this object mean other messages. */
  readonly #epoch: string
  readonly #recent = new RecentMessages()
  readonly #listeners = new Map<string, { listener: Listener; sinceMs: number }>()

  constructor(epoch: string) {
    this.#epoch = epoch
  }

  get size(): number {
    return this.#listeners.size
  }

  /** Opens a stream, with what its listener has missed; null where there are too many. */
  listen({ id, filter, lastEventId }: Listening, nowMs: number): ReadableStream<Uint8Array> | null {
    this.#sweep()
    if (this.#listeners.size >= LISTENERS_MAX) return null
    const onEnd = () => void this.#listeners.delete(id)
    const listener = new Listener(filter, { epoch: this.#epoch, onEnd })
    this.#listeners.set(id, { listener, sinceMs: nowMs })
    this.#catchUp(listener, lastEventId)
    return listener.body
  }

  /** Sends messages to all who want them. */
  tell({ messages, omitted }: TellCall): void {
    const numbered = messages.map((message) => this.#recent.add(message))
    this.#recent.skip(omitted)
    for (const { listener } of this.#listeners.values()) {
      for (const each of numbered) listener.send(each)
      if (omitted > 0) listener.gap(this.#recent.last)
    }
    this.#sweep()
  }

  /** Keeps streams alive, and ends those that have lasted long enough. */
  beat(nowMs: number, lifetimeMs: number): void {
    for (const { listener, sinceMs } of this.#listeners.values()) {
      if (nowMs - sinceMs >= lifetimeMs) listener.end('lifetime')
      else listener.beat()
    }
    this.#sweep()
  }

  end(id: string, reason: EndReason): void {
    this.#listeners.get(id)?.listener.end(reason)
    this.#sweep()
  }

  #catchUp(listener: Listener, lastEventId: string | null): void {
    const missed = lastEventId === null ? [] : this.#missedSince(lastEventId)
    if (missed === null) {
      listener.greet(this.#recent.last)
      listener.gap(this.#recent.last)
      return
    }
    listener.greet(this.#recent.last - missed.length)
    for (const each of missed) listener.send(each)
  }

  #missedSince(lastEventId: string) {
    const [epoch, n] = lastEventId.split('.')
    const isNumber = n !== undefined && /^\d{1,15}$/.test(n)
    return epoch === this.#epoch && isNumber ? this.#recent.after(Number(n)) : null
  }

  #sweep(): void {
    for (const [id, { listener }] of this.#listeners) if (!listener.isOpen) this.#listeners.delete(id)
  }
}
