/** `@start`: a fresh process, and nobody else runs on this state, so whatever was in flight is not any more. */
export const START_CRON = '@start'
/** `@stop`: the process is about to end. */
export const STOP_CRON = '@stop'
const EVERY_MINUTE = '* * * * *'
/** The purge's cron, and after how many sweeps it comes: every two minutes. */
const PURGE_CRON = '*/2 * * * *'
const SWEEPS_PER_PURGE = 8
/** Erases workspaces whose deletion was requested. */
const ERASE_CRON = '1-59/2 * * * *'

export type RunCron = (cron: string) => Promise<void>

export type SweeperOptions = {
  intervalMs: number
  /** Told of a run that failed; the console when left out. */
  onFailed?: ((cron: string, error: unknown) => void) | undefined
}

/** Runs the Worker's cron again and again, never two at once; what goes wrong is reported and tried again. */
export class Sweeper {
  readonly #run: RunCron
  readonly #intervalMs: number
  readonly #onFailed: (cron: string, error: unknown) => void
  #timer: NodeJS.Timeout | undefined
  #last: Promise<void> = Promise.resolve()
  #stopped = false
  #sweeps = 0

  constructor(run: RunCron, { intervalMs, onFailed = printFailure }: SweeperOptions) {
    this.#run = run
    this.#intervalMs = intervalMs
    this.#onFailed = onFailed
  }

  /** Sweeps as a fresh process, then keeps sweeping; resolves when the first sweep is done. */
  async start(): Promise<void> {
    await this.sweep(START_CRON)
    this.#schedule()
  }

  /** One sweep, after the one that may be running. */
  sweep(cron: string): Promise<void> {
    this.#last = this.#last.then(() => this.#attempt(cron))
    return this.#last
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  #schedule(): void {
    if (this.#stopped) return
    this.#timer = setTimeout(() => {
      const isPurge = ++this.#sweeps % SWEEPS_PER_PURGE === 0
      if (isPurge) void this.sweep(PURGE_CRON)
      void this.sweep(ERASE_CRON)
      void this.sweep(EVERY_MINUTE).then(() => this.#schedule())
    }, this.#intervalMs)
  }

  async #attempt(cron: string): Promise<void> {
    if (this.#stopped) return
    try {
      await this.#run(cron)
    } catch (error) {
      if (!this.#stopped) this.#onFailed(cron, error)
    }
  }
}

function printFailure(cron: string, error: unknown): void {
  console.error(`Sweep (${cron}) failed:`, error instanceof Error ? error.message : error)
}
