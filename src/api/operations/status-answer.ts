import * as z from 'zod'
import { iso, isoOrNull } from '../../base/time.ts'
import { VERSION } from '../../deliver/attempt/request.ts'
import { COUNTED_MAX, type Counts } from '../../operate/status.sql.ts'
import type { JobStatus, RelayStatus } from '../../operate/status.ts'
import { capacityMessage } from '../../store/capacity.ts'

const countShape = {
  count: z.int(),
  isMinimum: z.boolean().describe(`True when there are more than ${COUNTED_MAX}: counting ends there`),
}

const countSchema = z.object(countShape).meta({ id: 'Count' })
const jobShape = {
  ranAt: z.string().nullable().describe('Null before its first run'),
  ageSeconds: z.int().nullable().describe('Since its last run, or since the database was migrated'),
  overdue: z
    .boolean()
    .describe('Whether it should have run again: a sweep after 180 seconds, a purge after 600'),
  truncated: z.boolean().describe('Whether it ended before its work was done'),
  failed: z.int().describe('Workspaces that it could not do'),
  error: z.string().nullable(),
  figures: z.record(z.string(), z.int()),
}

const jobSchema = z.object(jobShape).meta({ id: 'Job' })

const relayStatusShape = {
  version: z.string(),
  migration: z.string().nullable().describe('The newest migration that was applied'),
  database: z.object({
    bytes: z.int().nullable(),
    maxBytes: z.int(),
    percent: z.int(),
    state: z.enum(['ok', 'warn', 'full']),
    message: z.string().nullable(),
  }),
  sweep: jobSchema,
  purge: jobSchema.nullable().describe('Null before its first run'),
  queues: z.array(
    z.object({
      name: z.string(),
      messages: z.int().nullable().describe('Null where the platform does not say'),
      bytes: z.int().nullable(),
      oldestAt: z.string().nullable(),
    }),
  ),
}

/** The state of the relay's own parts. */
export const relaySchema = z.object(relayStatusShape).meta({ id: 'RelayStatus' })

/** The members that say what is going on, of one workspace or of all. */
export const countsShape = {
  checkedAt: z.string(),
  subscriptions: z.object({
    active: z.int(),
    paused: z.int(),
    disabled: z.object({ manual: z.int(), gone: z.int(), failing: z.int(), unverified: z.int() }),
    breaker: z.object({ open: z.int(), halfOpen: z.int(), throttled: z.int() }).describe('Of active ones'),
    failing: z.int().describe('Active ones whose last attempt that counts failed'),
    isMinimum: z.boolean(),
  }),
  backlog: z.object({
    due: countSchema.describe('Deliveries that are due and may be made'),
    held: countSchema.describe('Deliveries that are due and rest: paused, breaker, Retry-After'),
    oldestDueAt: z.string().nullable().describe('Of those that may be made'),
    ordered: z
      .object({
        retrying: countSchema.describe('Deliveries that are tried again and hold those behind them'),
        blocked: countSchema.describe('The same, with their retries used up'),
        waiting: countSchema.describe('What is pending in the subscriptions of both'),
        nextRetryAt: z.string().nullable(),
      })
      .describe('Of ordered subscriptions: they are as fast as the retries of their first deliveries allow'),
  }),
  runningReplays: z.int(),
}

/** Shows counts, of one workspace or of all. */
export function countsAnswer({ subscriptions, backlog, ordered, runningReplays }: Counts, nowMs: number) {
  const { active, paused, failing, open, halfOpen, throttled, examined } = subscriptions
  const { disabledManual: manual, disabledGone: gone, disabledFailing, disabledUnverified } = subscriptions
  return {
    checkedAt: iso(nowMs),
    subscriptions: {
      active,
      paused,
      disabled: { manual, gone, failing: disabledFailing, unverified: disabledUnverified },
      breaker: { open, halfOpen, throttled },
      failing,
      isMinimum: examined > COUNTED_MAX,
    },
    backlog: {
      due: countAnswer(backlog.due),
      held: countAnswer(backlog.held),
      oldestDueAt: isoOrNull(backlog.oldestDueMs),
      ordered: {
        retrying: countAnswer(ordered.retrying),
        blocked: countAnswer(ordered.blocked),
        waiting: countAnswer(ordered.waiting),
        nextRetryAt: isoOrNull(ordered.nextRetryMs),
      },
    },
    runningReplays,
  }
}

function countAnswer(count: number): z.infer<typeof countSchema> {
  return { count, isMinimum: count > COUNTED_MAX }
}

/** Shows the state of the relay's own parts. */
export function relayAnswer(state: RelayStatus): z.infer<typeof relaySchema> {
  return {
    version: VERSION,
    migration: state.migration,
    database: { ...state.database, message: capacityMessage(state.database) },
    sweep: jobAnswer(state.sweep),
    purge: state.purge && jobAnswer(state.purge),
    queues: state.queues.map(({ name, metrics }) => ({
      name,
      messages: metrics?.messages ?? null,
      bytes: metrics?.bytes ?? null,
      oldestAt: isoOrNull(metrics?.oldestAtMs ?? null),
    })),
  }
}

function jobAnswer({ ranAtMs, ageMs, isOverdue, ...rest }: JobStatus): z.infer<typeof jobSchema> {
  const ageSeconds = ageMs === null ? null : Math.floor(ageMs / 1000)
  return { ranAt: isoOrNull(ranAtMs), ageSeconds, overdue: isOverdue, ...rest }
}
