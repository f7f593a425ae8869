import * as z from 'zod'
import { maskUrl } from '../../../base/secret/mask-url.ts'
import { HOUR_MS, iso, isoOrNull } from '../../../base/time.ts'
import { type Counters, percentile, successRate } from '../../../history/counters.ts'
import type { Step } from '../../../history/workspace-statistics/workspace-statistics.ts'
import { ATTENTION_KINDS, type Attention } from '../../../subscription/overview/attention.ts'
import { type Backlog, COUNTED_MAX } from '../../../subscription/overview/overview.sql.ts'
import { STANDINGS, type Standing } from '../../../subscription/overview/standing.ts'
import type { Subscription } from '../../../subscription/subscription.ts'

const latencyShape = {
  p50: z.int().nullable(),
  p90: z.int().nullable(),
  p95: z.int().nullable(),
  p99: z.int().nullable(),
}

/** Figures of deliveries, of a time or of a subscription. */
const figuresShape = {
  delivered: z.int(),
  failed: z.int().describe('Deliveries that failed for good'),
  attempts: z.int().describe('Attempts that were answered'),
  successRate: z.number().nullable().describe('Percent, two decimals, cut; null where none has ended'),
  averageResponseTime: z.int().describe('Milliseconds, over all answered attempts'),
  latencyPercentiles: z.object(latencyShape),
}

const webhookShape = { webhookId: z.string(), url: z.string(), webhookName: z.string().nullable() }

const countSchema = z.object({
  count: z.int(),
  isMinimum: z.boolean().describe(`True when there are more than ${COUNTED_MAX}: counting ends there`),
})

const standingsShape = {
  disabled: z.int(),
  paused: z.int(),
  failing: z.int(),
  slow: z.int(),
  unproven: z.int(),
  healthy: z.int(),
} satisfies Record<Standing, z.ZodType>

const attentionShape = {
  kind: z.enum(ATTENTION_KINDS),
  webhookId: z.string().nullable().describe('Null for a limit of the workspace'),
  url: z.string().nullable(),
  webhookName: z.string().nullable(),
  since: z.string().nullable(),
  summary: z.string(),
  nextStep: z.string(),
}

export const workspaceStatisticsSchema = z
  .object({
    window: z.string(),
    from: z
      .string()
      .describe('The beginning of what is counted: the hour in which the window begins is counted whole'),
    to: z.string(),
    interval: z.enum(['hour', 'day']),
    totals: z.object({
      events: z
        .int()
        .nullable()
        .describe('Events that were accepted; null where only some subscriptions are counted'),
      ...figuresShape,
    }),
    backlog: z.object({
      pending: countSchema.describe(
        'Deliveries that an attempt is still to be made of, but for first attempts that are being made',
      ),
      due: countSchema.describe('Those of them that could leave now'),
      held: countSchema.describe('Those that are due, and wait with their subscription'),
      oldestDueAt: z.string().nullable().describe('The longest due of those that could leave'),
    }),
    subscriptions: z.object(standingsShape).describe('How many there are of each `health`'),
    attention: z
      .array(z.object(attentionShape))
      .describe('What a person has to see to now, each with its next step'),
    timeSeries: z
      .array(z.object({ at: z.string(), events: z.int(), ...figuresShape }))
      .describe('By hour or day, oldest first; those without events and deliveries are left out'),
    webhooks: z
      .array(z.object({ ...webhookShape, ...figuresShape }))
      .describe('Those with the most failures, then those with the most deliveries; at most 100'),
    eventTypes: z
      .array(z.object({ event: z.string(), events: z.int(), matched: z.int() }))
      .describe('Those with the most events, at most 100, and how many deliveries these were owed'),
  })
  .meta({ id: 'WorkspaceStatistics' })

/** Shows counters. */
export function figuresAnswer(counters: Counters) {
  const { delivered, failed, attempts, latencySumMs, histogram } = counters
  const at = (fraction: number) => percentile(histogram, fraction)
  return {
    delivered,
    failed,
    attempts,
    successRate: delivered + failed === 0 ? null : successRate(counters),
    averageResponseTime: attempts === 0 ? 0 : Math.round(latencySumMs / attempts),
    latencyPercentiles: { p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99) },
  }
}

/** Shows one step of a series. */
export function stepAnswer({ hour, events, counters }: Step) {
  return { at: iso(hour * HOUR_MS), events, ...figuresAnswer(counters) }
}

/** Shows which subscription something is about. */
export function webhookAnswer({ id, settings }: Subscription) {
  return { webhookId: id, url: maskUrl(settings.url), webhookName: settings.name }
}

/** Shows what a person has to see to. */
export function attentionAnswer({ sinceMs, ...attention }: Attention, subscription: Subscription | null) {
  const webhook =
    subscription === null ? { webhookId: null, url: null, webhookName: null } : webhookAnswer(subscription)
  return { ...attention, ...webhook, since: isoOrNull(sinceMs) }
}

/** Shows how many subscriptions stand in each way. */
export function standingsAnswer(standings: ReadonlyMap<Standing, number>): Record<Standing, number> {
  const counts = STANDINGS.map((name) => [name, standings.get(name) ?? 0])
  return Object.fromEntries(counts) as Record<Standing, number>
}

/** Shows what waits. */
export function backlogAnswer({ waiting, due, held, oldestDueMs }: Backlog) {
  const counted = (count: number) => ({ count: Math.min(count, COUNTED_MAX), isMinimum: count > COUNTED_MAX })
  return {
    pending: counted(waiting),
    due: counted(due),
    held: counted(held),
    oldestDueAt: isoOrNull(oldestDueMs),
  }
}
