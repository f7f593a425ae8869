import type { Metric, Sample } from '../../operate/prometheus.ts'
import {
  type Named,
  WORST_DUE_MAX,
  WORST_MAX,
  type WorstSubscriptions,
} from '../../operate/worst-subscriptions.sql.ts'

/** Metrics that name subscriptions, so that an alarm can say whose receiver it is about. */
export function worstMetrics(worst: WorstSubscriptions, nowMs: number): Metric[] {
  const { failing, disabled, due, failed } = worst
  const secondsSince = (ms: number) => Math.max(0, (nowMs - ms) / 1000)
  const bound = `At most ${WORST_MAX} subscriptions`
  return [
    metric(
      'posthorn_subscription_failing_seconds',
      `How long an active subscription has had nothing but failures. ${bound}, the longest`,
      failing.map((one) => sample(one, secondsSince(one.sinceMs))),
    ),
    metric(
      'posthorn_subscription_disabled',
      `1 for a subscription that the relay has disabled. ${bound} of each reason, the latest`,
      disabled.map((one) => sample(one, 1, { reason: one.reason })),
    ),
    metric(
      'posthorn_subscription_oldest_due_seconds',
      `How long its oldest ready delivery has been due. ${bound}, the longest`,
      due.map((one) => sample(one, secondsSince(one.oldestDueMs))),
    ),
    metric(
      'posthorn_subscription_due_deliveries',
      `Its ready deliveries, of the same subscriptions; ${WORST_DUE_MAX + 1} means more than ${WORST_DUE_MAX}`,
      due.map((one) => sample(one, one.due)),
    ),
    metric(
      'posthorn_subscription_failed_deliveries',
      `Its deliveries that failed for good in this hour (UTC) and the one before; up to a sweep behind. ${bound}, those with most`,
      failed.map((one) => sample(one, one.deliveries)),
    ),
  ]
}

function metric(name: string, help: string, samples: Sample[]): Metric {
  return { name, help, type: 'gauge', samples }
}

function sample(
  { workspace, subscription }: Named,
  value: number,
  more: Record<string, string> = {},
): Sample {
  return { labels: { workspace, subscription, ...more }, value }
}
