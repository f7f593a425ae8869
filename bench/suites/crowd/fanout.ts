/** One publish to many brand-new healthy subscriptions, and what another tenant feels of it. */
import { awaitDelivered } from '../../fixtures/arrival.ts'
import { perSecond, sampleEvent, subscribeAll } from '../../fixtures/bulk.ts'
import { Neighbour } from '../../fixtures/neighbour.ts'
import type { Stage } from '../../harness/crowd/stage.ts'
import { answerLines, type Line, line, neighbourLines } from '../../report/crowd-lines.ts'
import type { One, Row } from './row.ts'

type Fanout = {
  readonly subscriptions: number
  readonly events: number
  readonly isJudged: boolean
  readonly maxSeconds: number
}

/** The neighbour is watched for so long at least: a fan-out that is over at once would leave its quantiles empty. */
const FELT_MS = 10_000
const FELT_MS_MIN = 4_000
const FANOUT_MS_MAX = 120_000
const DELIVERED = { of: 'ratio', best: 'high', floor: 0.3, goal: 0.6 } as const
const PUBLISH = { of: 'ratio', best: 'low', floor: 5, goal: 3 } as const

export const FANOUT_ROWS: readonly Row[] = [
  fanoutRow('fanout-1000', { subscriptions: 1_000, events: 100, isJudged: true, maxSeconds: 300 }),
  fanoutRow('fanout-10000', { subscriptions: 10_000, events: 1, isJudged: false, maxSeconds: 600 }),
  fanoutRow('fanout-100', { subscriptions: 100, events: 1_000, isJudged: false, maxSeconds: 300 }),
]

function fanoutRow(name: string, fanout: Fanout): Row {
  return { name, maxSeconds: fanout.maxSeconds, run: (stage, one) => measureFanout(stage, one, fanout) }
}

async function measureFanout(stage: Stage, one: One, fanout: Fanout): Promise<Line[]> {
  const neighbour = await Neighbour.settle(stage)
  const quiet = await neighbour.feelQuiet()
  const workspace = stage.workspace('crowd')
  const subscriptions = Array.from({ length: stage.scaled(fanout.subscriptions) }, (_, n) => ({
    url: stage.sink.url('fanout', n),
    events: ['*'],
  }))
  await subscribeAll(stage, workspace, subscriptions)
  const events = Array.from({ length: fanout.events }, (_, n) => sampleEvent(n))
  const { value, felt } = await neighbour.feelDuring(async () => {
    const startedAtMs = performance.now()
    const published = await workspace.publish(events)
    const owed = published.ids.filter((id) => id !== null).length * subscriptions.length
    const arrival = await awaitDelivered(stage, { group: 'fanout', owed, withinMs: FANOUT_MS_MAX })
    await stage.time.pause(stage.scaled(FELT_MS, FELT_MS_MIN) - (performance.now() - startedAtMs))
    return { published, arrival }
  })
  const { published, arrival } = value
  const perS = perSecond(arrival.delivered, arrival.endedAtMs - published.sentAtMs)
  const { repeated } = await stage.sink.report('fanout')
  const judged = fanout.isJudged ? { demand: DELIVERED } : {}
  return [
    line('delivered', perS, { unit: '/s', by: { name: 'one', value: one.deliveredPerS }, ...judged }),
    line('the publish', published.tookMs, { unit: 'ms', by: { name: 'quiet', value: quiet.publishP50Ms } }),
    ...answerLines('the publish', [published]),
    line('requests repeated', repeated),
    ...neighbourLines(felt, quiet, fanout.isJudged ? { publish: PUBLISH } : {}),
  ]
}
