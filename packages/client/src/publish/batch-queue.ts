import type { PublisherSettings } from './publisher-options.ts'
import type { Pushed } from './send-batch.ts'

type Limits = Pick<PublisherSettings, 'maxEvents' | 'maxBytes' | 'flushAfterMs' | 'maxInFlight'>
type Timer = ReturnType<typeof setTimeout>

/** Not in every runtime; it comes before any timer. */
const { setImmediate: immediately } = globalThis as typeof globalThis & {
  setImmediate?: (run: () => void) => unknown
}

/**
 * Cuts what is pushed into batches. While nothing is on the way, a batch leaves with all that was pushed in the same
 * turn of the event loop; while something is, the next one waits a little for company.
 */
export class BatchQueue {
  readonly #limits: Limits
  /** Sends a batch; never rejects. */
  readonly #send: (batch: readonly Pushed[]) => Promise<void>
  #queued: Pushed[] = []
  #queuedBytes = 0
  #inFlight = 0
  #timer: Timer | null = null
  #isSoon = false
  #isHurried = false

  constructor(limits: Limits, send: (batch: readonly Pushed[]) => Promise<void>) {
    this.#limits = limits
    this.#send = send
  }

  add(pushed: Pushed): void {
    this.#queued.push(pushed)
    this.#queuedBytes += pushed.bytes
    this.#advance()
  }

  /** While it is hurried, nothing waits for company. */
  hurry(isHurried: boolean): void {
    this.#isHurried = isHurried
    this.#advance()
  }

  #advance(): void {
    while (this.#queued.length > 0 && this.#inFlight < this.#limits.maxInFlight) {
      if (!this.#isHurried && !this.#isFull()) {
        this.#arm()
        return
      }
      this.#start()
    }
  }

  #isFull(): boolean {
    return this.#queued.length >= this.#limits.maxEvents || this.#queuedBytes >= this.#limits.maxBytes
  }

  #arm(): void {
    if (this.#inFlight === 0) this.#armSoon()
    else this.#timer ??= setTimeout(() => this.#due(), this.#limits.flushAfterMs)
  }

  #armSoon(): void {
    if (this.#isSoon) return
    this.#isSoon = true
    const run = () => {
      this.#isSoon = false
      this.#due()
    }
    if (immediately === undefined) setTimeout(run, 0)
    else immediately(run)
  }

  #due(): void {
    this.#disarm()
    if (this.#queued.length > 0 && this.#inFlight < this.#limits.maxInFlight) this.#start()
    this.#advance()
  }

  #disarm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  #start(): void {
    const batch = this.#cut()
    this.#disarm()
    this.#inFlight++
    void this.#send(batch).then(() => {
      this.#inFlight--
      this.#advance()
    })
  }

  #cut(): Pushed[] {
    const { maxEvents, maxBytes } = this.#limits
    let bytes = 0
    let count = 0
    for (const pushed of this.#queued) {
      if (count >= maxEvents || (count > 0 && bytes + pushed.bytes > maxBytes)) break
      bytes += pushed.bytes
      count++
    }
    this.#queuedBytes -= bytes
    return this.#queued.splice(0, count)
  }
}
