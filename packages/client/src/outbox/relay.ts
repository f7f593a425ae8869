import { isPosthornError, type PosthornError } from '../errors.ts'
import { randomHex } from '../http/random.ts'
import { wait } from '../http/wait.ts'
import { drainAs, type OutboxDeps } from './drain.ts'

export type OutboxRelayOptions = {
  /** The wait before the table is looked at again where it was empty. Default 1,000; `wake()` ends it. */
  pollMs?: number | undefined
  /** Rows of a request. Default 100. */
  batchRows?: number | undefined
  /** How long other relay loops leave the table to this one after its last sign of life. Default 60,000. */
  leaseMs?: number | undefined
  /** Told of an event that the relay refused for good. Its row stays, with the reason in the column `rejected`. */
  onRejected?: ((rejected: { id: string; error: PosthornError }) => void) | undefined
  /** Told of what went wrong in a pass, which is made again. Default: `console.error`. */
  onError?: ((error: unknown) => void) | undefined
  signal?: AbortSignal | undefined
}

const POLL_MS = 1_000
/** A pass that failed is made again after this, doubled each time. */
const FIRST_PAUSE_MS = 500
const PAUSE_MS_MAX = 30_000

/** A pass over the table; after one that failed the relay may ask for a wait. */
type Pass = { isOk: boolean; retryAfterMs: number }

/** Publishes the table in the background, in order. Of several relay loops one works, and another takes over when it ends. */
export class OutboxRelay {
  readonly #deps: OutboxDeps
  readonly #options: OutboxRelayOptions
  readonly #owner = randomHex()
  readonly #stop = new AbortController()
  readonly #ended: Promise<void>
  #wake: AbortController | null = null
  #isWoken = false

  constructor(deps: OutboxDeps, options: OutboxRelayOptions = {}) {
    this.#deps = deps
    this.#options = options
    options.signal?.addEventListener('abort', () => this.#stop.abort(), { once: true })
    if (options.signal?.aborted) this.#stop.abort()
    this.#ended = this.#run()
  }

  /** Looks at the table at once: to be called after a commit. */
  wake(): void {
    this.#isWoken = true
    this.#wake?.abort()
  }

  /** Ends after the request that is on its way, and leaves the table to others. */
  async stop(): Promise<void> {
    this.#stop.abort()
    this.#wake?.abort()
    await this.#ended
  }

  async #run(): Promise<void> {
    const { pollMs = POLL_MS } = this.#options
    let failures = 0
    while (!this.#stop.signal.aborted) {
      this.#isWoken = false
      const { isOk, retryAfterMs } = await this.#pass()
      failures = isOk ? 0 : failures + 1
      const backoffMs = Math.min(PAUSE_MS_MAX, FIRST_PAUSE_MS * 2 ** (failures - 1))
      await this.#pause(isOk ? pollMs : Math.max(backoffMs, retryAfterMs), isOk)
    }
    await this.#deps.store.release(this.#owner).catch((error) => this.#tell(error))
  }

  async #pass(): Promise<Pass> {
    try {
      const options = { ...this.#options, signal: this.#stop.signal, retries: { maxRetries: 0 } }
      await drainAs(this.#owner, this.#deps, options)
      return { isOk: true, retryAfterMs: 0 }
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#tell(error)
      return { isOk: false, retryAfterMs: (isPosthornError(error) ? error.retryAfterMs : null) ?? 0 }
    }
  }

  /** Waits for the next pass. A wake-up does not cut the pause after a failure short. */
  async #pause(ms: number, mayWake: boolean): Promise<void> {
    if (this.#stop.signal.aborted || (mayWake && this.#isWoken)) return
    const wake = new AbortController()
    this.#wake = mayWake ? wake : null
    const stop = () => wake.abort()
    this.#stop.signal.addEventListener('abort', stop, { once: true })
    await wait(ms, wake.signal).catch(() => undefined)
    this.#stop.signal.removeEventListener('abort', stop)
    this.#wake = null
  }

  #tell(error: unknown): void {
    const { onError = (told: unknown) => console.error('posthorn/outbox:', told) } = this.#options
    // The loop outlives a fault of the program's own callback.
    try {
      onError(error)
    } catch (fault) {
      console.error('posthorn/outbox: onError has thrown', fault, 'when told of', error)
    }
  }
}
