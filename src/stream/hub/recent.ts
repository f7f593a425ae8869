import type { StreamMessage } from '../message.ts'
import { LISTENER_BYTES_MAX } from '../terms.ts'

/** Messages that are kept for listeners who come back. */
const COUNT_MAX = 1_000
/** Bytes of these: all of them fit into what may wait for a listener, who is sent them at once. */
const BYTES_MAX = LISTENER_BYTES_MAX / 2
/** Number, name and line ends of a message that is sent. */
const FRAME_BYTES = 64

const encoder = new TextEncoder()

/** A message with its number, its text as it is sent, and what it takes to be sent. */
export type Numbered = { n: number; message: StreamMessage; text: string; bytes: number }

/** The newest messages of a workspace, numbered without gaps. */
export class RecentMessages {
  readonly #kept: Numbered[] = []
  #bytes = 0
  #last = 0

  /** The number of the newest message; 0 before the first. */
  get last(): number {
    return this.#last
  }

  add(message: StreamMessage): Numbered {
    this.#last++
    const text = JSON.stringify(message.shown)
    const added = { n: this.#last, message, text, bytes: FRAME_BYTES + encoder.encode(text).length }
    this.#kept.push(added)
    this.#bytes += added.bytes
    while (this.#kept.length > COUNT_MAX || this.#bytes > BYTES_MAX) {
      this.#bytes -= this.#kept.shift()?.bytes ?? 0
    }
    return added
  }

  /** Counts messages that nobody has seen: who comes back from before them has missed some. */
  skip(count: number): void {
    if (count === 0) return
    this.#last += count
    this.#kept.length = 0
    this.#bytes = 0
  }

  /** The messages after a number; null where some of them are not kept any more. */
  after(n: number): readonly Numbered[] | null {
    if (n === this.#last) return []
    const first = this.#kept[0]?.n ?? this.#last + 1
    return n > this.#last || n < first - 1 ? null : this.#kept.filter((each) => each.n > n)
  }
}
