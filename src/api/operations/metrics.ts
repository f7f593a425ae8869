import { LATENCY_BOUNDS_MS } from '../../history/counters.ts'
import { gauge, histogramSamples, labelled, type Metric, writeMetrics } from '../../operate/prometheus.ts'
import { COUNTED_MAX, type Counts, type Totals } from '../../operate/status.sql.ts'
import { type JobStatus, type QueueStatus, type RelayStatus, relayFigures } from '../../operate/status.ts'
import type { ApiDeps } from '../context.ts'
import { worstMetrics } from './worst-metrics.ts'

/** Writes the relay's state in Prometheus' text format. Its size is bounded, however many subscriptions there are. */
export async function relayMetrics({ status: deps }: Pick<ApiDeps, 'status'>): Promise<string> {
  const { status, counts, totals, worst } = await relayFigures(deps)
  const nowMs = deps.now()
  return writeMetrics([
    ...outcomeMetrics(totals),
    ...backlogMetrics(counts, nowMs),
    ...subscriptionMetrics(counts),
    ...worstMetrics(worst, nowMs),
    ...jobMetrics(status),
    ...databaseMetrics(status),
    ...queueMetrics(status.queues, nowMs),
  ])
}

function outcomeMetrics({ delivered, failed, attempts, latencySumMs, histogram }: Totals): Metric[] {
  const since = 'Begins anew at 00, 06, 12 and 18 h UTC; up to a sweep behind'
  const bounds = LATENCY_BOUNDS_MS.map((ms) => ms / 1000)
  return [
    labelled(
      'counter',
      {
        name: 'posthorn_deliveries_total',
        help: `Deliveries that have ended, failed: for good. ${since}`,
        label: 'outcome',
      },
      { delivered, failed },
    ),
    {
      name: 'posthorn_attempts_total',
      help: `Attempts made. ${since}`,
      type: 'counter',
      samples: [{ value: attempts }],
    },
    {
      name: 'posthorn_attempt_duration_seconds',
      help: `How long attempts took. ${since}`,
      type: 'histogram',
      samples: histogramSamples(bounds, histogram, latencySumMs / 1000),
    },
  ]
}

function backlogMetrics({ backlog, ordered, runningReplays }: Counts, nowMs: number): Metric[] {
  const { due, held, oldestDueMs } = backlog
  const oldest = oldestDueMs === null ? 0 : Math.max(0, (nowMs - oldestDueMs) / 1000)
  return [
    labelled(
      'gauge',
      {
        name: 'posthorn_due_deliveries',
        help: `Deliveries that are due: ready may be made, held wait with their subscription. ${COUNTED_MAX + 1} means more than ${COUNTED_MAX}`,
        label: 'state',
      },
      { ready: due, held },
    ),
    gauge(
      'posthorn_oldest_due_seconds',
      'How long the oldest ready delivery has been due; 0 for none',
      oldest,
    ),
    labelled(
      'gauge',
      {
        name: 'posthorn_ordered_deliveries',
        help: `Of ordered subscriptions: retrying and blocked ones hold those behind them, which wait. ${COUNTED_MAX + 1} means more than ${COUNTED_MAX}`,
        label: 'state',
      },
      { retrying: ordered.retrying, blocked: ordered.blocked, waiting: ordered.waiting },
    ),
    gauge('posthorn_replays_running', 'Replays that are running', runningReplays),
  ]
}

function subscriptionMetrics({ subscriptions: of }: Counts): Metric[] {
  const states = { active: of.active, paused: of.paused }
  const reasons = {
    manual: of.disabledManual,
    gone: of.disabledGone,
    failing: of.disabledFailing,
    unverified: of.disabledUnverified,
  }
  const breakers = { open: of.open, half_open: of.halfOpen, throttled: of.throttled }
  return [
    labelled(
      'gauge',
      { name: 'posthorn_subscriptions', help: 'Subscriptions that are not disabled', label: 'state' },
      states,
    ),
    labelled(
      'gauge',
      { name: 'posthorn_subscriptions_disabled', help: 'Disabled subscriptions', label: 'reason' },
      reasons,
    ),
    labelled(
      'gauge',
      {
        name: 'posthorn_breakers',
        help: 'Active subscriptions whose breaker is not closed',
        label: 'state',
      },
      breakers,
    ),
    gauge('posthorn_subscriptions_failing', 'Active subscriptions that fail at present', of.failing),
    gauge(
      'posthorn_counts_truncated',
      `1 when there are more than ${COUNTED_MAX} subscriptions, so that figures cover the oldest only`,
      of.examined > COUNTED_MAX ? 1 : 0,
    ),
  ]
}

function jobMetrics({ sweep, purge }: RelayStatus): Metric[] {
  const jobs = Object.entries({ sweep, purge }).flatMap(([job, run]) => (run === null ? [] : [{ job, run }]))
  const per = (name: string, help: string, value: (run: JobStatus) => number | null) =>
    labelled(
      'gauge',
      { name, help, label: 'job' },
      Object.fromEntries(
        jobs.flatMap(({ job, run }) => {
          const shown = value(run)
          return shown === null ? [] : [[job, shown] as const]
        }),
      ),
    )
  return [
    per(
      'posthorn_job_age_seconds',
      'How long ago a periodic job has last completed; of a sweep that never ran, since the database was migrated',
      ({ ageMs }) => (ageMs === null ? null : ageMs / 1000),
    ),
    per(
      'posthorn_job_overdue',
      '1 when it should have run again: a sweep after 180 seconds, a purge after 600',
      ({ isOverdue }) => (isOverdue ? 1 : 0),
    ),
    per('posthorn_job_truncated', '1 when its last run ended before its work was done', ({ truncated }) =>
      truncated ? 1 : 0,
    ),
    per(
      'posthorn_job_failed_workspaces',
      'Workspaces that its last run could not do',
      ({ failed }) => failed,
    ),
  ]
}

function databaseMetrics({ database: { bytes, maxBytes } }: RelayStatus): Metric[] {
  return [
    gauge('posthorn_database_bytes', 'Size of the database', bytes),
    gauge('posthorn_database_max_bytes', 'Where the database counts as full', maxBytes),
    gauge(
      'posthorn_database_percent',
      'How full the database is; warns at 80, refuses events at 95',
      bytes === null ? null : (bytes * 100) / maxBytes,
    ),
  ]
}

/** Leaves out queues that the platform does not report on. */
function queueMetrics(queues: readonly QueueStatus[], nowMs: number): Metric[] {
  const known = queues.flatMap(({ name, metrics }) => (metrics === null ? [] : [{ name, metrics }]))
  const per = (name: string, help: string, value: (metrics: (typeof known)[number]['metrics']) => number) =>
    labelled(
      'gauge',
      { name, help, label: 'queue' },
      Object.fromEntries(known.map(({ name: queue, metrics }) => [queue, value(metrics)])),
    )
  return [
    per('posthorn_queue_messages', 'Hints that wait in a queue', ({ messages }) => messages),
    per(
      'posthorn_queue_oldest_seconds',
      'How long the oldest hint has waited; 0 for none',
      ({ oldestAtMs }) => (oldestAtMs === null ? 0 : Math.max(0, (nowMs - oldestAtMs) / 1000)),
    ),
  ]
}
