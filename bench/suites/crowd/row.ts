import type { Stage } from '../../harness/crowd/stage.ts'
import type { Line } from '../../report/crowd-lines.ts'

/** A relay with one healthy subscription, measured first. */
export type One = {
  readonly publishedPerS: number
  readonly deliveredPerS: number
  readonly ownIdsPublishedPerS: number
  readonly ownIdsDeliveredPerS: number
  /** Queue messages per 100 deliveries. */
  readonly messages: number
  readonly peakMiB: number | null
}

/** One measurement, chosen by its name or by what stands before its first `-`. */
export type Row = {
  readonly name: string
  /** After so long its waits are cut. */
  readonly maxSeconds: number
  /** Requests in flight per invocation; the relay's default where it is left out. */
  readonly slots?: number
  readonly run: (stage: Stage, one: One) => Promise<Line[]>
}
