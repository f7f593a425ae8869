/** Three hundred subscriptions of which some fail, and events with own ids in bulk. */
import { awaitDelivered } from '../../fixtures/arrival.ts'
import { perSecond, publishBulk, sampleEvent, subscribeAll } from '../../fixtures/bulk.ts'
import { type Health, healthOf } from '../../fixtures/receiver-health.ts'
import { messagesSent } from '../../harness/crowd/relay-log.ts'
import { unixMs } from '../../harness/crowd/sink-group.ts'
import type { Stage } from '../../harness/crowd/stage.ts'
import type { NewSubscription, Workspace } from '../../harness/crowd/workspace.ts'
import { type Line, line } from '../../report/crowd-lines.ts'
import type { One, Row } from './row.ts'

const SUBSCRIPTIONS = 300
/** Subscriptions to every type; each of the others has a type of its own. */
const TO_ALL = 2
const FAILING = 22
const EVENTS = 100_000
const PUBLISH_MS_MAX = 180_000
const POLICY = { maxRetries: 1, retryDelay: 2 }
const DELIVERED = { of: 'ratio', best: 'high', floor: 0.5, goal: 0.8 } as const

export const FAILING_ROWS: readonly Row[] = [{ name: 'failing', maxSeconds: 420, run: measureFailing }]

async function measureFailing(stage: Stage, one: One): Promise<Line[]> {
  const workspace = stage.workspace('crowd')
  const crowd = crowdOf(stage)
  await stage.sink.behave('failing', { status: 500 })
  await subscribeAll(stage, workspace, crowd.subscriptions)
  const published = await publishBulk(stage, workspace, {
    events: stage.scaled(EVENTS),
    make: (n) => sampleEvent(n, { event: `type.n${n % crowd.types}`, ownId: 'own' }),
    withinMs: PUBLISH_MS_MAX,
  })
  const publishedAtMs = unixMs()
  const early = await stage.sink.delivered('healthy')
  const healthEarly = await stage.tryRead(() => healthOf(workspace, '/healthy/'))
  const owed = published.accepted.reduce((sum, n) => sum + TO_ALL + (crowd.isFailing(n) ? 0 : 1), 0)
  const { delivered, endedAtMs } = await awaitDelivered(stage, { group: 'healthy', owed })
  const { repeated } = await stage.sink.report('healthy')
  const perS = perSecond(delivered, endedAtMs - published.startedAtMs)
  const health = worseOf(healthEarly, await stage.tryRead(() => healthOf(workspace, '/healthy/')))
  return [
    ...rateLines(one, published.perS, perS),
    drainedLine(one, delivered - early, endedAtMs - publishedAtMs),
    line('healthy receivers with a breaker', health?.breakers ?? null),
    line('healthy receivers with faults', health?.faulty ?? null),
    line('requests repeated at the healthy', repeated),
    line('requests refused or not answered', published.refused),
    await messagesLine(stage, workspace, one),
  ]
}

function rateLines(one: One, publishedPerS: number, deliveredPerS: number): Line[] {
  const unit = '/s'
  return [
    line('published', publishedPerS, { unit, by: { name: 'one', value: one.publishedPerS } }),
    line('published', publishedPerS, { unit, by: { name: 'one, own ids', value: one.ownIdsPublishedPerS } }),
    line('delivered to the healthy', deliveredPerS, {
      ...{ unit, by: { name: 'one', value: one.deliveredPerS }, demand: DELIVERED },
    }),
    line('delivered to the healthy', deliveredPerS, {
      ...{ unit, by: { name: 'one, own ids', value: one.ownIdsDeliveredPerS } },
    }),
  ]
}

/** Null where hardly anything was left when the last publish was answered. */
function drainedLine(one: One, drained: number, ms: number): Line {
  const perS = drained < 100 ? null : perSecond(drained, ms)
  return line('backlog drained', perS, { unit: '/s', by: { name: 'one', value: one.deliveredPerS } })
}

async function messagesLine(stage: Stage, workspace: Workspace, one: One): Promise<Line> {
  const sent = await stage.tryRead(() => messagesSent(stage.relay.logPath, workspace))
  const requests =
    (await stage.sink.report('healthy')).requests + (await stage.sink.report('failing')).requests
  const by = { name: 'one', value: one.messages }
  return line('queue messages per 100 requests', sent && (sent * 100) / requests, { by })
}

type Crowd = {
  readonly subscriptions: readonly NewSubscription[]
  readonly types: number
  /** True where the receiver of the event's own type fails. */
  readonly isFailing: (n: number) => boolean
}

function crowdOf(stage: Stage): Crowd {
  const types = stage.scaled(SUBSCRIPTIONS) - TO_ALL
  const every = Math.floor(types / stage.scaled(FAILING))
  const failing = stage.scaled(FAILING)
  const fails = (type: number) => type % every === 0 && type / every < failing
  const typed = Array.from({ length: types }, (_, type) => ({
    url: stage.sink.url(fails(type) ? 'failing' : 'healthy', type),
    events: [`type.n${type}`],
    retryPolicy: POLICY,
  }))
  const toAll = Array.from({ length: TO_ALL }, (_, n) => ({
    url: stage.sink.url('healthy', `all${n}`),
    events: ['*'],
    retryPolicy: POLICY,
  }))
  return { subscriptions: [...typed, ...toAll], types, isFailing: (n) => fails(n % types) }
}

function worseOf(a: Health | null, b: Health | null): Health | null {
  if (a === null || b === null) return a ?? b
  return { breakers: Math.max(a.breakers, b.breakers), faulty: Math.max(a.faulty, b.faulty) }
}
