import type { StreamMessage } from '../message.ts'

/** Messages that are kept for listeners who come back, and their characters. */
const COUNT_MAX = 1_000
const CHARS_MAX = 500_000

/** A message with its number, and its text as it is sent. */
export type Numbered = { n: number; message: StreamMessage; text: string }

/** The newest messages of a workspace, numbered without gaps. */
export class RecentMessages {
  readonly #kept: Numbered[] = []
  #chars = 0
  #last = 0

  /** The number of the newest message; 0 before the first. */
  get last(): number {
    return this.#last
  }

  add(message: StreamMessage): Numbered {
    this.#last++
    const added = { n: this.#last, message, text: JSON.stringify(message.shown) }
    this.#kept.push(added)
    this.#chars += added.text.length
    while (this.#kept.length > COUNT_MAX || this.#chars > CHARS_MAX) {
      this.#chars -= this.#kept.shift()?.text.length ?? 0
    }
    return added
  }

  /** Counts messages that nobody has seen: who comes back from before them has missed some. */
  skip(count: number): void {
    if (count === 0) return
    this.#last += count
    this.#kept.length = 0
    this.#chars = 0
  }

  /** The messages after a number; null where some of them are not kept any more. */
  after(n: number): readonly Numbered[] | null {
    if (n === this.#last) return []
    const first = this.#kept[0]?.n ?? this.#last + 1
    return n > this.#last || n < first - 1 ? null : this.#kept.filter((each) => each.n > n)
  }
}
