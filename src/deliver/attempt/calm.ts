import { sleep } from '../../base/time.ts'
import type { InFlight } from '../../receiver/in-flight.ts'
import type { AttemptDeps } from './send.ts'

/**
 * Young requests with which consumers of a class take no further claim. More side by side would not go out sooner: they
 * would keep the isolate from answering publishes. Single events go before bulk, retries and unproven receivers.
 */
const YOUNG_MAX = { single: 400, unproven: 200, other: 50 } as const
const LOOK_AGAIN_MS = 5
/** No consumer waits longer for its turn: its queue must not stand still beside the others. */
const WAIT_MS_MAX = 500

export type ClaimClass = keyof typeof YOUNG_MAX

/**
 * Waits until this isolate has time for one more claim. Requests that have come in meanwhile are read before it, unless
 * this is a single event's and nothing else is under way.
 */
export async function untilCalm(
  { inFlight, attempt }: { inFlight: Pick<InFlight, 'young'>; attempt: Pick<AttemptDeps, 'now' | 'http'> },
  claimClass: ClaimClass,
): Promise<void> {
  const young = () => inFlight.young(attempt.now(), attempt.http.stalls.isBusy())
  if (claimClass !== 'single' || young() > 0) await sleep(0)
  const isCalm = () => young() < YOUNG_MAX[claimClass]
  for (let waitedMs = 0; !isCalm() && waitedMs < WAIT_MS_MAX; waitedMs += LOOK_AGAIN_MS)
    await sleep(LOOK_AGAIN_MS)
}
