import type { PublisherSettings } from './publisher-options.ts'
import type { Pushed } from './send-batch.ts'

type Limits = Pick<PublisherSettings, 'maxEvents' | 'maxBytes' | 'flushAfterMs' | 'maxInFlight'>
type Timer = ReturnType<typeof setTimeout>

/** Not in every runtime; it comes before any timer. */
const { setImmediate: immediately } = globalThis as typeof globalThis & {
  setImmediate?: (run: () => void) => unknown
}

/** Requests on the way beside which another still leaves without waiting: the relay reads one while it commits another. */
const UNHURRIED_MAX = 2
/** Fewer events that come back together are not worth two requests. */
const SPLIT_EVENTS_MIN = 32

/**
 * Cuts what is pushed into batches. While few requests are on the way, a batch leaves with all that was pushed in the
 * same turn of the event loop; while more are, the next one waits a little for company.
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
  /** A batch was answered in this turn of the event loop: what is pushed now may come from those who awaited it. */
  #isAnswered = false
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
    if (this.#inFlight < UNHURRIED_MAX) this.#armSoon()
    else this.#timer ??= setTimeout(() => this.#due(), this.#limits.flushAfterMs)
  }

  #armSoon(): void {
    if (this.#isSoon) return
    this.#isSoon = true
    const run = () => {
      this.#isSoon = false
      if (this.#inFlight < UNHURRIED_MAX) this.#due()
      this.#isAnswered = false
      this.#advance()
    }
    if (immediately === undefined) setTimeout(run, 0)
    else immediately(run)
  }

  #due(): void {
    this.#disarm()
    const eventsMax = this.#isAnswered ? this.#halfOfReturned() : undefined
    if (this.#queued.length > 0 && this.#inFlight < this.#limits.maxInFlight) this.#start(eventsMax)
    this.#advance()
  }

  /**
   * Producers that await their pushes come back together, and would go on so, with the relay idle between: half of them
   * leave now and the others beside them, and from then on they take turns.
   */
  #halfOfReturned(): number | undefined {
    const { length } = this.#queued
    const isAlone = this.#inFlight === 0 && this.#limits.maxInFlight > 1
    return isAlone && length >= SPLIT_EVENTS_MIN ? Math.ceil(length / 2) : undefined
  }

  #disarm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  #start(eventsMax = this.#limits.maxEvents): void {
    const batch = this.#cut(eventsMax)
    this.#disarm()
    this.#inFlight++
    void this.#send(batch).then(() => {
      this.#inFlight--
      this.#isAnswered = true
      this.#armSoon()
      this.#advance()
    })
  }

  #cut(maxEvents: number): Pushed[] {
    const { maxBytes } = this.#limits
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
