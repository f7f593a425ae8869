import type { AttemptRecord } from '../attempt/attempt.ts'
import type { BatchRecord } from './batch-outcomes.sql.ts'
import { PART_AFTER_MS } from './outcome-times.ts'
import type { ReceiverStateChange } from './receiver-state.sql.ts'
import type { DeferRecord, Settlement, SkipRecord, WaitingRecord } from './settle.sql.ts'

/** Outcomes written together: enough to make a row of bookkeeping cheap, few enough to lose little in a crash. */
const OUTCOMES_PER_PART = 100
/** Most outcomes that gather while a part is being written. */
const OUTCOMES_PER_PART_MAX = 1_000
/** Characters of outcomes written together, far below D1's 2 MB for a bound value. */
const CHARS_PER_PART = 300_000
const CHARS_PER_PART_MAX = 500_000

export type SettleFn = (settlement: Settlement) => Promise<void>

/**
 * Gathers what a consumer has done for one claim and writes it in parts, so that one slow receiver in a claim does
 * not keep the outcomes of the others unwritten.
 */
export class OutcomeBuffer {
  readonly #claimId: string
  readonly #settle: SettleFn
  #part = 0
  #attempts: AttemptRecord[] = []
  #waiting: WaitingRecord[] = []
  #skips: SkipRecord[] = []
  #defers: DeferRecord[] = []
  #batches: BatchRecord[] = []
  #chars = 0
  #writing: Promise<void> = Promise.resolve()
  /** Parts that are being written or wait for it. */
  #unwritten = 0
  #timer: ReturnType<typeof setTimeout> | null = null

  constructor(claimId: string, settle: SettleFn) {
    this.#claimId = claimId
    this.#settle = settle
  }

  attempt(record: AttemptRecord): void {
    this.#attempts.push(record)
    this.#chars += (record.response?.length ?? 0) + 200
    this.#writeSoon()
  }

  /** Adds a batch together with its members' outcomes: both or neither are written. */
  batch(record: BatchRecord, members: readonly AttemptRecord[]): void {
    this.#batches.push(record)
    this.#chars += record.kept?.body?.length ?? 0
    this.#attempts.push(...members)
    for (const { response } of members) this.#chars += (response?.length ?? 0) + 200
    this.#writeSoon()
  }

  wait(record: WaitingRecord): void {
    this.#waiting.push(record)
  }

  defer(record: DeferRecord): void {
    this.#defers.push(record)
  }

  skip(record: SkipRecord): void {
    this.#skips.push(record)
  }

  /** Writes what is left and ends the claim; rejects when any part could not be written. */
  async finish(receiverChanges: ReceiverStateChange[]): Promise<void> {
    this.#write(true, receiverChanges)
    await this.#writing
  }

  /**
   * Writes a part once it is full: after the work under way has had the chance to finish, and with all that comes while
   * the part before is being written.
   */
  #writeSoon(): void {
    const isFull = this.#attempts.length >= OUTCOMES_PER_PART || this.#chars >= CHARS_PER_PART
    const isTooFull = this.#attempts.length >= OUTCOMES_PER_PART_MAX || this.#chars >= CHARS_PER_PART_MAX
    if (isTooFull) this.#write(false, [])
    else if (isFull && this.#unwritten === 0) this.#writeIn(0)
    else if (this.#timer === null) this.#writeIn(PART_AFTER_MS)
  }

  #writeIn(ms: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#write(false, []), ms)
  }

  #write(last: boolean, receiverChanges: Settlement['receiverChanges']): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const settlement: Settlement = {
      claimId: this.#claimId,
      part: this.#part++,
      last,
      attempts: this.#attempts,
      waiting: this.#waiting,
      skips: this.#skips,
      defers: this.#defers,
      batches: this.#batches,
      receiverChanges,
    }
    this.#attempts = []
    this.#waiting = []
    this.#skips = []
    this.#defers = []
    this.#batches = []
    this.#chars = 0
    this.#unwritten++
    this.#writing = this.#writing.then(async () => {
      await this.#settle(settlement)
      this.#unwritten--
      if (this.#attempts.length >= OUTCOMES_PER_PART) this.#writeSoon()
    })
    // Seen by `finish`; until then a failed part must not end the process as an unhandled rejection.
    this.#writing.catch(() => undefined)
  }
}
