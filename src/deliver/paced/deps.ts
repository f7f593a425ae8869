import type { ConsumeReport } from '../../hints/consume-batch.ts'
import type { PacerCall, PacerReply } from '../../pacing/pacer/protocol.ts'
import type { Invocation } from '../claim-run.ts'
import type { ConsumerDeps } from '../consumer-deps.ts'
import type { Turn, TurnLimit } from './turn-limit.ts'

/** The dependencies of the consumers of paced subscriptions. */
export type PacedDeps = ConsumerDeps & {
  sleep: (ms: number) => Promise<void>
  turns: TurnLimit
  /** One call of a subscription's pacer. Rejects when the pacer does not answer. */
  turn: (call: PacerCall) => Promise<PacerReply>
}

/** What a turn shares with the others of its invocation, and what it holds in memory. */
export type PacedWork = {
  untilMs: number
  invocation: Invocation
  report: ConsumeReport
  holds: { bytes: number }
  handle: Turn
}

/** What the hints of one batch say of one subscription. */
export type PacedEntry = {
  no: number
  isOrdered: boolean
  /** Somebody should look in D1. */
  isLook: boolean
  noted: { events: number; bytes: number; sinceMs: number } | null
}
