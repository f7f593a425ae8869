import type { Background } from '../../base/concurrency/background-limit.ts'
import type { ConsumeReport } from '../../hints/consume-batch.ts'
import type { PacedHint } from '../../hints/hint.ts'
import type { PacerCall, PacerReply } from '../../pacing/pacer/protocol.ts'
import type { Invocation, WorkDeps } from '../claim-run.ts'
import type { Turn, TurnLimit } from './turn-limit.ts'

/** What consumers of paced subscriptions need. */
export type PacedDeps = {
  db: D1Database
  work: WorkDeps
  now: () => number
  sleep: (ms: number) => Promise<void>
  newClaimId: () => string
  background: Background
  turns: TurnLimit
  /** One call of a subscription's pacer. */
  turn: (call: PacerCall) => Promise<PacerReply>
  /** Sends the rest of the work to another invocation. */
  sendBack: (entries: PacedHint['subscriptions']) => Promise<void>
  /** Has somebody look at a subscription a little later. */
  lookLater: (subscriptionNo: number) => Promise<void>
  /** Schedules looks at what is due later. */
  wake: (dueMs: ReadonlyMap<number, number>) => Promise<void>
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
