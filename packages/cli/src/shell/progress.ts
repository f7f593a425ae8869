import type { Shell } from './shell.ts'

/** Work is quick enough not to be told about. */
const QUIET_MS = 2_000
const FRAME_MS = 100
/** Where there is no terminal, a line so often. */
const LINE_MS = 10_000
const FRAMES = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'

/** Tells on standard error how work goes on that takes longer than two seconds. */
export class Progress {
  readonly #shell: Pick<Shell, 'err' | 'nowMs'>
  readonly #startedAtMs: number
  #text: string
  #timer: ReturnType<typeof setInterval> | null
  #isShown = false
  #frame = 0

  constructor(shell: Pick<Shell, 'err' | 'nowMs'>, text: string) {
    this.#shell = shell
    this.#text = text
    this.#startedAtMs = shell.nowMs()
    const everyMs = shell.err.isTerminal ? FRAME_MS : LINE_MS
    this.#timer = setInterval(() => this.#draw(), everyMs)
  }

  /** Changes the text. It is drawn with the next frame. */
  say(text: string): void {
    this.#text = text
  }

  /** Ends it and wipes the line; later calls do nothing. */
  end(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    if (this.#isShown && this.#shell.err.isTerminal) void this.#shell.err.write('\r\x1b[K')
    this.#isShown = false
  }

  #draw(): void {
    const { err, nowMs } = this.#shell
    if (nowMs() - this.#startedAtMs < QUIET_MS) return
    this.#isShown = true
    if (!err.isTerminal) return void err.write(`${this.#text}\n`)
    this.#frame = (this.#frame + 1) % FRAMES.length
    const line = `${FRAMES[this.#frame]} ${this.#text}`.slice(0, err.columns() - 1)
    void err.write(`\r\x1b[K${line}`)
  }
}

/** Does work, and tells that it goes on where it takes long. */
export async function whileTelling<T>(
  shell: Pick<Shell, 'err' | 'nowMs'>,
  text: string,
  work: (progress: Progress) => Promise<T>,
): Promise<T> {
  const progress = new Progress(shell, text)
  try {
    return await work(progress)
  } finally {
    progress.end()
  }
}
