import * as z from 'zod'
import { HOUR_MS, hourOf, iso } from '../../../base/time.ts'
import {
  addCounters,
  type Counters,
  emptyCounters,
  percentile,
  successRate,
} from '../../../history/counters.ts'
import type { LoggedDelivery } from '../../../history/delivery-log.sql.ts'
import { recentSuccesses } from '../../../history/recent-successes.ts'
import { hourlyCounters } from '../../../history/statistics.sql.ts'
import { eventIdOf } from '../../../model/delivery.ts'
import { defineRoute } from '../../define-route.ts'
import { findAnySubscription } from '../../find.ts'

const RECENT_DELIVERIES = 10
const SERIES_HOURS = 168

const statisticsShape = {
  totalDelivered: z.int(),
  totalFailed: z.int().describe('Deliveries that failed for good'),
  successRate: z.number().describe('delivered / (delivered + failed for good) in percent, two decimals, cut'),
  lastDelivery: z.string().nullable(),
  averageResponseTime: z.int().describe('Milliseconds, over all answered attempts'),
  latencyPercentiles: z.object({
    p50: z.int().nullable(),
    p90: z.int().nullable(),
    p95: z.int().nullable(),
    p99: z.int().nullable(),
  }),
  recentDeliveries: z.array(
    z.object({
      eventId: z.string(),
      event: z.string(),
      deliveredAt: z.string(),
      responseCode: z.int().nullable(),
      responseTime: z.int().nullable(),
    }),
  ),
  timeSeries: z
    .array(z.object({ hour: z.string(), delivered: z.int(), failed: z.int(), averageResponseTime: z.int() }))
    .describe('The last seven days by hour; hours without deliveries are left out'),
}

const answerSchema = z.object(statisticsShape).meta({ id: 'Statistics' })

/** `GET /webhooks/{id}/statistics`: counts, latency percentiles and a time series. */
export const getStatistics = defineRoute(
  {
    method: 'get',
    path: '/webhooks/{id}/statistics',
    operationId: 'getStatistics',
    summary: "A subscription's figures",
    tag: 'Deliveries',
    scope: 'deliveries:read',
    forBound: 'own',
    refusals: ['not_found'],
    answer: answerSchema,
  },
  async ({ deps, workspaceId, id }) => {
    const { no, workspaceNo } = await findAnySubscription(deps, workspaceId, id)
    const [hours, recent] = await Promise.all([
      hourlyCounters(deps.db, [no]),
      recentSuccesses(deps.db, { subscriptionNo: no, workspaceNo }, RECENT_DELIVERIES),
    ])
    const firstHour = hourOf(deps.now()) - SERIES_HOURS
    const series = hours.filter(({ hour }) => hour > firstHour)
    const data: z.infer<typeof answerSchema> = {
      ...totalsAnswer(hours.reduce((sum, { counters }) => addCounters(sum, counters), emptyCounters())),
      recentDeliveries: recent.map(recentAnswer),
      timeSeries: series.map(hourAnswer),
    }
    return { data }
  },
)

function totalsAnswer(total: Counters) {
  const at = (fraction: number) => percentile(total.histogram, fraction)
  return {
    totalDelivered: total.delivered,
    totalFailed: total.failed,
    successRate: successRate(total),
    lastDelivery: total.lastDeliveryAtMs === 0 ? null : iso(total.lastDeliveryAtMs),
    averageResponseTime: average(total),
    latencyPercentiles: { p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99) },
  }
}

function recentAnswer(row: LoggedDelivery) {
  return {
    eventId: eventIdOf(row),
    event: row.type,
    deliveredAt: iso(row.lastAtMs ?? 0),
    responseCode: row.status,
    responseTime: row.latencyMs,
  }
}

function hourAnswer({ hour, counters }: { hour: number; counters: Counters }) {
  return {
    hour: iso(hour * HOUR_MS),
    delivered: counters.delivered,
    failed: counters.failed,
    averageResponseTime: average(counters),
  }
}

function average({ latencySumMs, attempts }: { latencySumMs: number; attempts: number }): number {
  return attempts === 0 ? 0 : Math.round(latencySumMs / attempts)
}
