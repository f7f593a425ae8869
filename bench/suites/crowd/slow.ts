/** One event to many receivers that take three seconds: how many requests are under way at once. */
import { awaitDelivered } from '../../fixtures/arrival.ts'
import { sampleEvent, subscribeAll } from '../../fixtures/bulk.ts'
import type { Stage } from '../../harness/crowd/stage.ts'
import { answerLines, type Line, line } from '../../report/crowd-lines.ts'
import type { Row } from './row.ts'

const ANSWER_MS = 3_000
const WAIT_MS = 180_000
/** The receiver's count has to rest so long before repeated requests are final. */
const REST_MS = 5_000
const IN_FLIGHT = { of: 'value', best: 'high', floor: 1_000, goal: 2_000 } as const

/** With 1,500 receivers the floor can be seen, but not the goal. */
export const SLOW_ROWS: readonly Row[] = [slowRow('slow-1500', 1_500), slowRow('slow-2500', 2_500)]

function slowRow(name: string, receivers: number): Row {
  return { name, maxSeconds: 240, run: (stage) => measureSlow(stage, receivers) }
}

async function measureSlow(stage: Stage, receivers: number): Promise<Line[]> {
  const workspace = stage.workspace('crowd')
  await stage.sink.behave('slow', { delayMs: ANSWER_MS })
  const subscriptions = Array.from({ length: stage.scaled(receivers) }, (_, n) => ({
    url: stage.sink.url('slow', n),
    events: ['*'],
  }))
  await subscribeAll(stage, workspace, subscriptions)
  const published = await workspace.publish([sampleEvent(0)])
  const owed = subscriptions.length
  const { isComplete, endedAtMs } = await awaitDelivered(stage, { group: 'slow', owed, withinMs: WAIT_MS })
  await stage.time.pause(stage.scaled(REST_MS, 1_000))
  const { peakInFlight, repeated } = await stage.sink.report('slow')
  const own = { name: "the receiver's own time", value: ANSWER_MS / 1000 }
  return [
    line('in flight at the peak', peakInFlight, {
      ...{ by: { name: 'receivers', value: owed }, demand: IN_FLIGHT },
    }),
    line('until all have answered', isComplete ? (endedAtMs - published.sentAtMs) / 1000 : null, {
      unit: 's',
      by: own,
    }),
    line('requests repeated', repeated),
    ...answerLines('the publish', [published]),
  ]
}
