/**
 * Bounds of one isolate's background: beyond them consumers wait, or hanging receivers would fill
 * its memory.
 */
export type BackgroundBounds = { count: number; bytes: number }

/**
 * Takes over a piece of work that must not reject, with the bytes it holds. False when the isolate
 * has too much.
 */
export type Background = { tryAdd: (work: Promise<void>, heldBytes: number) => boolean }

/** Work is over by then; the platform may have cancelled it without a word. */
const WORK_MS_MAX = 120_000

type Work = { heldBytes: number; begunAtMs: number }

/** Counts the work that all invocations of an isolate have left to the background. */
export class BackgroundLimit {
  readonly #limits: BackgroundBounds
  readonly #now: () => number
  readonly #works = new Set<Work>()
  #bytes = 0

  constructor(limits: BackgroundBounds, now: () => number) {
    this.#limits = limits
    this.#now = now
  }

  /** The background of one invocation; `keepAlive` is its `waitUntil`. */
  of(keepAlive: (work: Promise<unknown>) => void): Background {
    return {
      tryAdd: (work, heldBytes) => {
        const begunAtMs = this.#now()
        this.#forgetCancelled(begunAtMs)
        const { count, bytes } = this.#limits
        // A piece above the limit goes alone, or its invocation would wait for ever.
        const fits = this.#works.size === 0 || this.#bytes + heldBytes <= bytes
        if (this.#works.size >= count || !fits) return false
        const counted = { heldBytes, begunAtMs }
        this.#works.add(counted)
        this.#bytes += heldBytes
        keepAlive(work.finally(() => this.#forget(counted)))
        return true
      },
    }
  }

  /** The oldest come first. */
  #forgetCancelled(nowMs: number): void {
    for (const work of this.#works) {
      if (nowMs - work.begunAtMs <= WORK_MS_MAX) return
      this.#forget(work)
    }
  }

  #forget(work: Work): void {
    if (this.#works.delete(work)) this.#bytes -= work.heldBytes
  }
}
