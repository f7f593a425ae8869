/** Timers take no more, and end at once where they are given it. */
export const TIMER_MS_MAX = 2 ** 31 - 1

/** @throws TypeError for a time limit that no timer can keep */
export function checkTimeoutMs(timeoutMs: number): void {
  if (!(timeoutMs > 0 && timeoutMs <= TIMER_MS_MAX)) {
    throw new TypeError(`timeoutMs must be above 0, and at most ${TIMER_MS_MAX}`)
  }
}

/** Waits; rejects with the signal's reason once that is aborted. */
export function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const timer = setTimeout(
      () => {
        signal?.removeEventListener('abort', stop)
        resolve()
      },
      Math.min(ms, TIMER_MS_MAX),
    )
    const stop = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', stop, { once: true })
  })
}

/** A time limit and a caller's signal in one; `end` lets go of both. */
export class Deadline {
  readonly #controller = new AbortController()
  readonly #caller: AbortSignal | undefined
  readonly #timer: ReturnType<typeof setTimeout>
  readonly #abort = () => this.#controller.abort(this.#caller?.reason)
  isOver = false

  constructor(timeoutMs: number, caller: AbortSignal | undefined) {
    this.#caller = caller
    this.#timer = setTimeout(() => {
      this.isOver = true
      this.#controller.abort()
    }, timeoutMs)
    caller?.addEventListener('abort', this.#abort, { once: true })
    if (caller?.aborted) this.#abort()
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Ends the time limit, and leaves the caller's signal. */
  endTime(): void {
    clearTimeout(this.#timer)
  }

  end(): void {
    this.endTime()
    this.#caller?.removeEventListener('abort', this.#abort)
  }
}
