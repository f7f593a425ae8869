import * as z from 'zod'
import { dateFromSchema, dateToSchema } from '../../../model/date-range.ts'
import { eventPatternSchema } from '../../../model/event-type.ts'
import { type ReplaySelection, replayableStatusSchema } from '../../../replay/replay.ts'
import { EVENT_PATTERNS_MAX } from '../../../subscription/input.ts'

const STATUS_HINT = 'must be "failed", "skipped" or "success", or a list of these'

/** Highest rate a replay may be slowed down to. */
const RATE_PER_SECOND_MAX = 1_000

/** Most webhooks that a replay of one event may name. */
export const NAMED_WEBHOOKS_MAX = 100

const RATE_HINT = `must be 1-${RATE_PER_SECOND_MAX} whole deliveries a second`

/**
 * Body of `POST /webhooks/{id}/replay`. `failed` means failed
 * for good: a delivery with a retry ahead is left to it.
 */
export const replaySubscriptionSchema = z
  .strictObject({
    status: z
      .union(
        [replayableStatusSchema.transform((status) => [status]), z.array(replayableStatusSchema)],
        STATUS_HINT,
      )
      .optional(),
    events: z
      .array(eventPatternSchema)
      .min(1, 'must name at least one event type, "prefix.*" or "*"; leave it out for all')
      .max(EVENT_PATTERNS_MAX, `must name at most ${EVENT_PATTERNS_MAX} event types`)
      .optional(),
    dateFrom: dateFromSchema.optional(),
    dateTo: dateToSchema.optional(),
    backfill: z.boolean().optional(),
    ratePerSecond: z.int(RATE_HINT).min(1, RATE_HINT).max(RATE_PER_SECOND_MAX, RATE_HINT).optional(),
    dryRun: z.boolean().optional(),
  })
  .superRefine(({ status, backfill, dateFrom, dateTo }, context) => {
    if (status?.length === 0 && backfill !== true) {
      const message = 'must name at least one status, unless backfill is true'
      context.addIssue({ code: 'custom', path: ['status'], message })
    }
    if (dateFrom !== undefined && dateTo !== undefined && dateFrom > dateTo)
      context.addIssue({ code: 'custom', path: ['dateTo'], message: 'must not be before dateFrom' })
  })
  .meta({ id: 'ReplayRequest' })

export type ReplaySubscription = z.infer<typeof replaySubscriptionSchema>

export const WEBHOOKS_HINT = `must name 1-${NAMED_WEBHOOKS_MAX} webhooks by their ids; leave it out for all`

/** Body of `POST /events/{id}/replay`. */
export const replayEventSchema = z
  .strictObject({
    webhooks: z
      .array(z.string().max(128, 'must be the id of a webhook of this workspace'))
      .min(1, WEBHOOKS_HINT)
      .max(NAMED_WEBHOOKS_MAX, WEBHOOKS_HINT)
      .optional(),
  })
  .meta({ id: 'ReplayEventRequest' })

/** The selection a request asks for, defaults filled in. */
export function selectionOf(request: ReplaySubscription): ReplaySelection {
  return {
    kind: 'subscription',
    statuses: [...new Set(request.status ?? (['failed'] as const))],
    events: request.events ?? null,
    acceptedFromMs: request.dateFrom ?? null,
    acceptedToMs: request.dateTo ?? null,
    backfill: request.backfill ?? false,
    ratePerSecond: request.ratePerSecond ?? null,
  }
}
