import { clockTime, counted, type Sentence } from './sentence.ts'
import { Tally } from './tally.ts'
import { type RuntimeLine, tell } from './tell.ts'

/** Sentences within a second that a person can still read; beyond them the relay is busy. */
const SENTENCES_PER_SECOND_MAX = 25
const SECOND_MS = 1000
/** Summaries of a busy relay come this far apart, after a first one that comes within a second. */
const SUMMARY_MS = 5000
/** Warnings about one thing are shown this far apart. */
const WARNING_MS = 10_000
const TITLE_CHARS = 'published'.length

/** Tells a person what the relay does: a line a publish and a delivery, and a summary where there are too many. */
export class Voice {
  readonly #print: (line: string) => void
  #second = { startMs: 0, sentences: 0 }
  /** What a busy relay has done since its last summary; null while it is not busy. */
  #busy: { tally: Tally; untilMs: number } | null = null
  /** Warnings shown a short while ago, by what they are about, and how many have come since. */
  readonly #warned = new Map<string, { untilMs: number; more: number }>()

  constructor(print: (line: string) => void) {
    this.#print = print
  }

  hear(line: RuntimeLine): void {
    const sentence = tell(line)
    if (sentence === null) return
    const nowMs = line.timestamp
    this.tick(nowMs)
    if (sentence.kind === 'warning') {
      this.#warn(nowMs, sentence)
      return
    }
    if (sentence.kind === 'withheld') {
      this.#busy ??= { tally: new Tally(), untilMs: nowMs + SECOND_MS }
      this.#busy.tally.add(sentence)
      return
    }
    this.#count(nowMs)
    if (this.#busy === null) this.#say(nowMs, titleOf(sentence), sentence.text)
    else this.#busy.tally.add(sentence)
  }

  /** Called now and then, so that the last summary of a burst does not wait for the next event. */
  tick(nowMs: number): void {
    this.#forgetWarnings(nowMs)
    if (this.#busy === null || nowMs < this.#busy.untilMs) return
    const { tally } = this.#busy
    const summary = tally.summary()
    if (summary !== null) this.#say(nowMs, 'busy', summary)
    const isOver = tally.sentences <= SENTENCES_PER_SECOND_MAX
    this.#busy = isOver ? null : { tally: new Tally(), untilMs: nowMs + SUMMARY_MS }
  }

  #warn(nowMs: number, { about, text }: Extract<Sentence, { kind: 'warning' }>): void {
    const warned = this.#warned.get(about)
    if (warned !== undefined) {
      warned.more++
      return
    }
    this.#warned.set(about, { untilMs: nowMs + WARNING_MS, more: 0 })
    this.#say(nowMs, 'warning', text)
  }

  #forgetWarnings(nowMs: number): void {
    for (const [about, { untilMs, more }] of this.#warned) {
      if (nowMs < untilMs) continue
      this.#warned.delete(about)
      if (more > 0) this.#say(nowMs, 'warning', `${counted(more, 'more warning')} like it: ${about}`)
    }
  }

  #count(nowMs: number): void {
    if (nowMs - this.#second.startMs >= SECOND_MS) this.#second = { startMs: nowMs, sentences: 0 }
    this.#second.sentences++
    if (this.#busy === null && this.#second.sentences > SENTENCES_PER_SECOND_MAX) {
      this.#busy = { tally: new Tally(), untilMs: this.#second.startMs + SECOND_MS }
    }
  }

  #say(nowMs: number, title: string, text: string): void {
    const [first = '', ...more] = text.split('\n')
    const indent = ' '.repeat(clockTime(nowMs).length + 2 + TITLE_CHARS + 2)
    this.#print(`${clockTime(nowMs)}  ${title.padEnd(TITLE_CHARS)}  ${first}`)
    for (const line of more) this.#print(`${indent}${line}`)
  }
}

function titleOf(sentence: Exclude<Sentence, { kind: 'warning' | 'withheld' }>): string {
  return sentence.kind === 'info' ? sentence.title : sentence.kind
}
