import type { ConsumeReport } from '../../hints/consume-batch.ts'
import type { LateStarts } from '../../pacing/late-starts.ts'
import type { CallPacer } from '../../pacing/pacer/client.ts'
import type { PacerCall, Waiting } from '../../pacing/pacer/protocol.ts'
import type { Invocation } from '../claim-run.ts'
import type { ConsumerDeps } from '../consumer-deps.ts'
import type { Turn, TurnLimit } from './turn-limit.ts'

/** A receiver that hangs gets no attempts for this time, then its deliveries are looked at again. */
export const HANGING_RECHECK_MS = 5_000

/** The dependencies of the consumers of paced subscriptions. */
export type PacedDeps = ConsumerDeps & {
  sleep: (ms: number) => Promise<void>
  turns: TurnLimit
  lateStarts: LateStarts
  callPacer: CallPacer
}

/** The work of one turn: the invocation that it shares with others, and the memory that it holds. */
export type PacedWork = {
  /** No new work begins after this time. */
  untilMs: number
  invocation: Invocation
  report: ConsumeReport
  holds: { bytes: number }
  turn: Turn
}

/** One turn of a limited subscription. */
export type Serving = {
  no: number
  work: PacedWork
  /** Grants that have started all their requests and wait for the last answers. */
  tails: Set<Promise<unknown>>
  /** Grants that have ended and are reported with the next call of the pacer: they hold no permits meanwhile. */
  ended: FinishedGrant[]
}

export type FinishedGrant = NonNullable<PacerCall['finished']>

/** The hints of one batch for one subscription, merged. */
export type PacedEntry = {
  no: number
  isOrdered: boolean
  /** D1 has to be read before the pacer is called. */
  isLook: boolean
  arrived: Waiting | null
}
