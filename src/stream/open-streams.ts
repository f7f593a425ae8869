import { STREAM_MS_MAX } from './terms.ts'

/** Streams of one isolate at once. */
const STREAMS_MAX = 100
/** A request that was cut off gives nothing back; by then its stream has ended. */
const FORGOTTEN_MS = STREAM_MS_MAX + 60_000

/** Counts the streams that an isolate has open. */
export class OpenStreams {
  readonly #open = new Map<string, number>()

  /** Takes a place; false where there is none. */
  add(id: string, nowMs: number): boolean {
    for (const [each, sinceMs] of this.#open) if (nowMs - sinceMs > FORGOTTEN_MS) this.#open.delete(each)
    if (this.#open.size >= STREAMS_MAX) return false
    this.#open.set(id, nowMs)
    return true
  }

  remove(id: string): void {
    this.#open.delete(id)
  }
}
