import type { ByteBudget, ByteHold } from '../../base/concurrency/byte-budget.ts'
import type { Density } from '../../base/json/density.ts'
import { RelayError } from '../../model/errors.ts'

/** Room for the bodies of one isolate: smaller ones never wait for larger ones. */
export type BodyBudgets = { small: ByteBudget; medium: ByteBudget; large: ByteBudget }

/** The largest body of each size; larger ones are large. */
export const SMALL_BODY_BYTES_MAX = 64_000

const MEDIUM_BODY_BYTES_MAX = 500_000

/** Memory of a body that is read, parsed, hashed and stored, as a multiple of its bytes. */
const PRICE_PER_BYTE = 6

/** A body waits for room as long as a client would before it doubts the relay. */
const WAIT_MS_MAX = 10_000

const RETRY_AFTER_SECONDS = 5

/** The room in memory that one request's body takes, from before it is read until the answer. */
export class BodyHold {
  readonly #budgets: BodyBudgets
  #hold: ByteHold | null = null
  #bytes = 0
  #work: Promise<unknown> | null = null

  constructor(budgets: BodyBudgets) {
    this.#budgets = budgets
  }

  /** Waits for the room of a body of so many bytes; throws the refusal where there is none in time. */
  async take(bytes: number): Promise<void> {
    if (bytes <= this.#bytes) return
    const hold = await this.#budgetOf(bytes).hold(bytes * PRICE_PER_BYTE, WAIT_MS_MAX)
    if (hold === null) throw noRoom()
    this.#hold?.release()
    this.#hold = hold
    this.#bytes = bytes
  }

  /** Waits for the room of a body of which so many bytes have come, and nobody knows how many will. */
  async takeUnknown(bytes: number, bytesMax: number): Promise<void> {
    const sizes = [SMALL_BODY_BYTES_MAX, MEDIUM_BODY_BYTES_MAX, bytesMax]
    await this.take(Math.min(bytesMax, sizes.find((size) => bytes <= size) ?? bytesMax))
  }

  /** Corrects the price of a body once its memory is known better. */
  resize(memoryBytes: number): void {
    this.#hold?.resize(memoryBytes)
  }

  /** Keeps the room for work that may go on after the answer. */
  keepFor(work: Promise<unknown>): void {
    this.#work = work
  }

  #budgetOf(bytes: number): ByteBudget {
    if (bytes <= SMALL_BODY_BYTES_MAX) return this.#budgets.small
    return bytes <= MEDIUM_BODY_BYTES_MAX ? this.#budgets.medium : this.#budgets.large
  }

  /** Gives the room back, once such work is over. */
  async release(): Promise<void> {
    await this.#work?.catch(() => undefined)
    this.#hold?.release()
  }
}

/** Estimates the memory of a body from its text to the answer, with all that is made of it on the way. */
export function memoryOf(text: string, { containers, values }: Density): number {
  return PRICE_PER_BYTE * text.length + 40 * containers + 24 * values
}

function noRoom(): RelayError {
  const message =
    'Too many large requests are being read at once; nothing of this one was accepted. Try again.'
  return new RelayError('unavailable', message, { retryAfterSeconds: RETRY_AFTER_SECONDS })
}
