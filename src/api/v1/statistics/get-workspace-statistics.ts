import * as z from 'zod'
import { HOUR_MS, iso } from '../../../base/time.ts'
import { readScope } from '../../../history/all-deliveries/scope.sql.ts'
import { emptyCounters } from '../../../history/counters.ts'
import {
  countedWindow,
  LISTED_MAX,
  WINDOWS,
  type WindowName,
  type WorkspaceFigures,
  workspaceFigures,
} from '../../../history/workspace-statistics/workspace-statistics.ts'
import { LIMIT_NAMES } from '../../../limits/limits.ts'
import { readStoredEvents } from '../../../store/stored-events.sql.ts'
import { boundSubscriptionNos } from '../../../subscription/bound.sql.ts'
import { attentionsOf, FAILURES_MIN, nearLimit } from '../../../subscription/overview/attention.ts'
import { findSubscriptionsByNo } from '../../../subscription/overview/by-no.sql.ts'
import {
  type Overview,
  readOverview,
  subscriptionsInTrouble,
} from '../../../subscription/overview/overview.sql.ts'
import { countSubscriptions } from '../../../subscription/subscriptions.sql.ts'
import type { ApiDeps } from '../../context.ts'
import { defineRoute } from '../../define-route.ts'
import {
  attentionAnswer,
  backlogAnswer,
  figuresAnswer,
  standingsAnswer,
  stepAnswer,
  webhookAnswer,
  workspaceStatisticsSchema,
} from './statistics-answer.ts'

const WINDOW_NAMES = Object.keys(WINDOWS) as [WindowName, ...WindowName[]]
/** Subscriptions that a person has to see to; more are not shown. */
const ATTENTION_MAX = 50

const querySchema = z.strictObject({
  window: z
    .enum(WINDOW_NAMES, `must be one of ${WINDOW_NAMES.join(', ')}`)
    .optional()
    .describe('24h when left out'),
  interval: z
    .enum(['hour', 'day'], 'must be hour or day')
    .optional()
    .describe(
      'Of the series; by day for 90d, else by hour, when left out. Hours that are older than eight days are added up by day',
    ),
})

/** `GET /statistics`: the figures of the whole workspace, and what a person has to see to. */
export const getWorkspaceStatistics = defineRoute(
  {
    method: 'get',
    path: '/statistics',
    operationId: 'getWorkspaceStatistics',
    summary: "A workspace's figures, and what needs a person now",
    tag: 'Deliveries',
    scope: 'deliveries:read',
    forBound: 'own',
    refusals: [],
    query: querySchema,
    answer: workspaceStatisticsSchema,
  },
  async ({ deps, workspaceId, query }) => {
    const nowMs = deps.now()
    const name = query.window ?? '24h'
    const interval = query.interval ?? (WINDOWS[name].stepHours === 1 ? 'hour' : 'day')
    const window = countedWindow(name, interval === 'hour' ? 1 : 24, nowMs)
    const ownNos = await boundSubscriptionNos(deps.db, workspaceId, deps.reach.binding)
    const scope = await readScope(deps.db, workspaceId, ownNos)
    const counted = {
      workspaceNo: scope?.workspaceNo ?? 0,
      subscriptionNos: scope?.subscriptionNos ?? [],
      withEvents: ownNos === null,
    }
    const [figures, overview, limits] = await Promise.all([
      workspaceFigures(deps.db, counted, window),
      readOverview(deps.db, counted.subscriptionNos, nowMs),
      ownNos === null ? nearLimits(deps, workspaceId) : [],
    ])
    const [attention, webhooks] = await Promise.all([
      attentionOn(deps, workspaceId, { overview, among: counted.subscriptionNos, nowMs }),
      webhooksOf(deps, workspaceId, figures),
    ])
    const data: z.infer<typeof workspaceStatisticsSchema> = {
      window: name,
      from: iso(figures.fromHour * HOUR_MS),
      to: iso(nowMs),
      interval,
      totals: { events: ownNos === null ? figures.events : null, ...figuresAnswer(figures.counters) },
      backlog: backlogAnswer(overview.backlog),
      subscriptions: standingsAnswer(overview.standings),
      attention: [...attention, ...limits],
      timeSeries: figures.steps.map(stepAnswer),
      webhooks,
      eventTypes: figures.byType
        .slice(0, LISTED_MAX)
        .map(({ type, events, owed }) => ({ event: type === '' ? '*' : type, events, matched: owed })),
    }
    return { data }
  },
)

type Watched = { overview: Overview; among: readonly number[]; nowMs: number }

async function attentionOn({ db }: ApiDeps, workspaceId: string, { overview, among, nowMs }: Watched) {
  const named = [...overview.blocked.keys()]
  const asked = { among, named, failuresMin: FAILURES_MIN, limit: ATTENTION_MAX }
  const found = await subscriptionsInTrouble(db, workspaceId, asked)
  return found.flatMap((subscription) => {
    const blocked = overview.blocked.get(subscription.no) ?? 0
    return attentionsOf(subscription, { blocked, nowMs }).map((each) => attentionAnswer(each, subscription))
  })
}

/** Limits of the workspace and of the caller's key; those of a second come and go. */
async function nearLimits({ db, limits }: ApiDeps, workspaceId: string) {
  const states = await limits.read(workspaceId, {
    countSubscriptions: (no) => countSubscriptions(db, no),
    countStored: async (no) => (await readStoredEvents(db, no))?.events ?? 0,
  })
  return states.flatMap(({ limits: bySubject }) =>
    LIMIT_NAMES.flatMap((name) => {
      const state = bySubject[name]
      const isLasting = name === 'eventsPerDay' || name === 'subscriptions' || name === 'storedEvents'
      const near = state === undefined || !isLasting ? null : nearLimit(name, state)
      return near === null ? [] : [attentionAnswer(near, null)]
    }),
  )
}

async function webhooksOf({ db }: ApiDeps, workspaceId: string, figures: WorkspaceFigures) {
  const nos = [...figures.bySubscription.keys()]
  const found = await findSubscriptionsByNo(db, workspaceId, nos)
  const byNo = new Map(found.map((subscription) => [subscription.no, subscription]))
  return nos.flatMap((no) => {
    const subscription = byNo.get(no)
    if (subscription === undefined) return []
    return [
      { ...webhookAnswer(subscription), ...figuresAnswer(figures.bySubscription.get(no) ?? emptyCounters()) },
    ]
  })
}
