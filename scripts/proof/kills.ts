import { PART_AFTER_MS, retriesMsMax } from '../../src/deliver/settle/outcome-times.ts'
import type { RelayClient } from '../../test/support/process/relay-client.ts'
import type { RelayProcess } from '../../test/support/process/relay-process.ts'

type Killed = Pick<RelayProcess, 'kill9'>
type Publisher = Pick<RelayClient, 'slowestPublishMs'>

/** `overMs`: nothing that the killed relay had sent is read after it. */
type Kill = { signalledMs: number; overMs: number }

/** A receiver that can tell when all that its senders had sent before they died is read. */
type Witness = { readToTheEnd(): Promise<void> }

/** An outcome that is written with others waits for a commit that is under way, and for those of two parts before it. */
const COMMITS_PER_OUTCOME = 3

/** The kills of a proof, and which deliveries they may have made twice. */
export class Kills {
  readonly #witness: Witness
  readonly #kills: Kill[] = []
  #commitMs = 0

  constructor(witness: Witness) {
    this.#witness = witness
  }

  get count(): number {
    return this.#kills.length
  }

  /** How long an outcome may take to be on disk: as long as its engine waits and tries again, and its database takes. */
  get unrecordedMsMax(): number {
    return PART_AFTER_MS + retriesMsMax() + COMMITS_PER_OUTCOME * this.#commitMs
  }

  /** Kills a relay; `clients` have published to it, and so have seen how long a commit takes. */
  async kill(relay: Killed, ...clients: readonly Publisher[]): Promise<void> {
    const signalledMs = Date.now()
    await relay.kill9()
    await this.#witness.readToTheEnd()
    this.#kills.push({ signalledMs, overMs: Date.now() })
    this.#commitMs = Math.max(this.#commitMs, ...clients.map(({ slowestPublishMs }) => slowestPublishMs))
  }

  /**
   * How long before a kill a delivery was made that came again after it; null where no kill explains that: there is none
   * in between, or the outcome had the time to be written and has been forgotten.
   */
  cutOffMs(earlierMs: number, laterMs: number): number | null {
    const kill = this.#kills.find(({ overMs }) => overMs >= earlierMs && overMs <= laterMs)
    if (kill === undefined) return null
    const waitedMs = Math.max(0, kill.signalledMs - earlierMs)
    return waitedMs > this.unrecordedMsMax ? null : waitedMs
  }
}
