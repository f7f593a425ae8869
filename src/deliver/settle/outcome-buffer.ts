import type { Pair } from '../../model/delivery.ts'
import type { Announcement } from '../../receiver/operational-event.ts'
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

/** Receivers that have no delivery left in a claim, and what it has come to know of them. */
export type EndedReceivers = {
  subscriptionNos: readonly number[]
  changes: readonly ReceiverStateChange[]
  announcements: readonly Announcement[]
}

/** One part of a claim's outcomes, with what is announced before it and the receivers whose pairs are free after it. */
export type Part = { settlement: Settlement; announcements: Announcement[]; endedNos: number[] }

/**
 * Gathers what a consumer has done for one claim and writes it in parts, so that one slow receiver in a claim does
 * not keep the outcomes of the others unwritten, nor their pairs.
 */
export class OutcomeBuffer {
  readonly #claimId: string
  readonly #writePart: (part: Part) => Promise<void>
  /** The pairs of receivers that have deliveries left. */
  #pairs: readonly Pair[]
  #part = 0
  #gathered = nothing()
  #writing: Promise<void> = Promise.resolve()
  /** Parts that are being written or wait for it. */
  #unwritten = 0
  #timer: ReturnType<typeof setTimeout> | null = null

  constructor(
    { id, pairs }: { id: string; pairs: readonly Pair[] },
    writePart: (part: Part) => Promise<void>,
  ) {
    this.#claimId = id
    this.#pairs = pairs
    this.#writePart = writePart
  }

  attempt(record: AttemptRecord): void {
    this.#gathered.attempts.push(record)
    this.#gathered.chars += charsOf(record)
    this.#writeSoon()
  }

  /** Adds a batch together with its members' outcomes: both or neither are written. */
  batch(record: BatchRecord, members: readonly AttemptRecord[]): void {
    this.#gathered.batches.push(record)
    this.#gathered.chars += record.kept?.body?.length ?? 0
    this.#gathered.attempts.push(...members)
    for (const member of members) this.#gathered.chars += charsOf(member)
    this.#writeSoon()
  }

  wait(record: WaitingRecord): void {
    this.#gathered.waiting.push(record)
  }

  defer(record: DeferRecord): void {
    this.#gathered.defers.push(record)
  }

  skip(record: SkipRecord): void {
    this.#gathered.skips.push(record)
  }

  /** Adds news that is published before the outcomes it is about are written. */
  announce(announcement: Announcement): void {
    this.#gathered.announcements.push(announcement)
  }

  /** Adds receivers whose outcomes are all there: with the part that holds the last of them their pairs are free. */
  endReceivers(ended: EndedReceivers): void {
    this.#addEnded(ended)
    this.#writeSoon()
  }

  /** Writes what is left and ends the claim; rejects when any part could not be written. */
  async finish(ended: EndedReceivers): Promise<void> {
    this.#addEnded(ended)
    this.#write(true)
    await this.#writing
  }

  #addEnded({ subscriptionNos, changes, announcements }: EndedReceivers): void {
    this.#gathered.endedNos.push(...subscriptionNos)
    this.#gathered.receiverChanges.push(...changes)
    this.#gathered.announcements.push(...announcements)
  }

  /**
   * Writes a part once it is full: after the work under way has had the chance to finish, and with all that comes while
   * the part before is being written.
   */
  #writeSoon(): void {
    const { attempts, chars } = this.#gathered
    const isFull = attempts.length >= OUTCOMES_PER_PART || chars >= CHARS_PER_PART
    const isTooFull = attempts.length >= OUTCOMES_PER_PART_MAX || chars >= CHARS_PER_PART_MAX
    if (isTooFull) this.#write(false)
    else if (isFull && this.#unwritten === 0) this.#writeIn(0)
    else if (this.#timer === null) this.#writeIn(PART_AFTER_MS)
  }

  #writeIn(ms: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#write(false), ms)
  }

  #write(last: boolean): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const part = this.#takePart(last)
    this.#unwritten++
    this.#writing = this.#writing.then(async () => {
      await this.#writePart(part)
      this.#unwritten--
      if (this.#gathered.attempts.length >= OUTCOMES_PER_PART) this.#writeSoon()
    })
    // Seen by `finish`; until then a failed part must not end the process as an unhandled rejection.
    this.#writing.catch(() => undefined)
  }

  #takePart(last: boolean): Part {
    const { chars: _, announcements, endedNos, ...outcomes } = this.#gathered
    this.#gathered = nothing()
    const ended = new Set(endedNos)
    if (ended.size > 0) this.#pairs = this.#pairs.filter((pair) => !ended.has(pair.subscriptionNo))
    const kept = ended.size > 0 ? this.#pairs : null
    const settlement = { claimId: this.#claimId, part: this.#part++, last, kept, ...outcomes }
    return { settlement, announcements, endedNos }
  }
}

/** What the next part holds so far. */
type Gathered = Omit<Settlement, 'claimId' | 'part' | 'last' | 'kept'> &
  Omit<Part, 'settlement'> & { chars: number }

function nothing(): Gathered {
  return {
    attempts: [],
    waiting: [],
    defers: [],
    skips: [],
    batches: [],
    receiverChanges: [],
    announcements: [],
    endedNos: [],
    chars: 0,
  }
}

function charsOf({ response, detail }: AttemptRecord): number {
  return (response?.length ?? 0) + (detail?.length ?? 0) + 200
}
