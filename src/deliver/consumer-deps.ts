import type { Background } from '../base/concurrency/background-limit.ts'
import type { ConsumeReport } from '../hints/consume-batch.ts'
import type { HintSender } from '../hints/hint-sender.ts'
import type { Invocation, WorkDeps } from './claim-run.ts'

/** The dependencies of every queue consumer; the queues differ in their hints only. */
export type ConsumerDeps = {
  db: D1Database
  /** Everything that making and recording an attempt takes. */
  work: WorkDeps
  now: () => number
  /** An id that no other claim or lease has. */
  newId: () => string
  hints: HintSender
  /** Keeps work alive that the invocation does not wait for. */
  background: Background
}

/** The bounds that the steps of one invocation share, and the report that its log line is written from. */
export type ConsumerRun = { invocation: Invocation; report: ConsumeReport }
