import * as z from 'zod'
import { maskUrl } from '../../../base/secret/mask-url.ts'
import { earlierAttempts } from '../../../history/attempt-log.sql.ts'
import { findRows, type LoggedDelivery, unrecorded } from '../../../history/delivery-log.sql.ts'
import type { LoggedEvent } from '../../../history/event-log.sql.ts'
import { eventView } from '../../../store/event-text.ts'
import type { Subscription } from '../../../subscription/subscription.ts'
import {
  findSubscriptionByNo,
  listSubscriptions,
  type OwedFilter,
} from '../../../subscription/subscriptions.sql.ts'
import { type Refusal, whyNotEach } from '../../../subscription/why-not.ts'
import type { ApiDeps } from '../../context.ts'
import { defineRoute } from '../../define-route.ts'
import { findAnyEvent } from '../../find.ts'
import { cursorStart, largeRowsPagingShape, nextCursor, PAGE_LIMIT_DEFAULT } from '../../paging.ts'
import { deliveryAnswer, deliveryAnswerSchema } from '../deliveries/delivery-answer.ts'

const eventDeliveryShape = {
  webhookId: z.string(),
  url: z.string(),
  matched: z.boolean(),
  reason: z
    .string()
    .nullable()
    .describe('Why the event is not owed to this subscription, or why it was skipped'),
  explanation: z.string().nullable(),
  rules: z
    .array(z.object({ rule: z.string(), reason: z.string(), message: z.string() }))
    .optional()
    .describe('The filters and conditions that refused the event, as the subscription is now'),
  delivery: deliveryAnswerSchema.nullable(),
}

const rowSchema = z.object(eventDeliveryShape).meta({ id: 'EventDelivery' })

const querySchema = z.strictObject({
  ...largeRowsPagingShape,
  matched: z
    .enum(['true', 'false'], 'must be "true" or "false"')
    .meta({ like: z.boolean() })
    .optional()
    .describe('Only subscriptions that the event is owed to, or only the others'),
})

/** `GET /events/{id}/deliveries`: why the event was or was not delivered, for each subscription. */
export const listEventDeliveries = defineRoute(
  {
    method: 'get',
    path: '/events/{id}/deliveries',
    operationId: 'listEventDeliveries',
    summary: 'What became of an event, subscription by subscription',
    tag: 'Events',
    scope: 'deliveries:read',
    forBound: 'own',
    refusals: ['not_found'],
    query: querySchema,
    answer: z.array(rowSchema),
    paged: true,
  },
  async ({ deps, workspaceId, id, query }) => {
    const { db, reach } = deps
    const event = await findAnyEvent(deps, workspaceId, id)
    const limit = query.limit ?? PAGE_LIMIT_DEFAULT
    const belowNo = cursorStart('event-deliveries', query.cursor, Number.MAX_SAFE_INTEGER)
    const owed = owedFilter(event, query.matched)
    const start = { belowNo, limit: limit + 1, withDeleted: true }
    const found = await listSubscriptions(db, workspaceId, { ...start, owed, binding: reach.binding })
    const hasTarget = event.isDispatch && query.cursor === undefined && query.matched !== 'false'
    const targets = hasTarget ? await targetsOf(deps, workspaceId, event) : []
    const room = limit - targets.length
    const page = [...targets, ...found.slice(0, room)]
    const nos = page.map(({ no }) => no)
    const rows = new Map((await findRows(db, event, nos)).map((row) => [row.subscriptionNo, row]))
    const unmatched = page.filter(({ no }) => !rows.has(no) && !isMatched(event, no))
    const reasons = await whyNotEach(event, unmatched, await eventView(deps.bodies, event))
    return {
      data: await Promise.all(
        page.map((subscription) =>
          showFate(deps, event, {
            subscription,
            row: rows.get(subscription.no),
            refusal: reasons.get(subscription.no),
          }),
        ),
      ),
      pagination: nextCursor(
        'event-deliveries',
        // A page that the target fills alone ends just above the newest subscription.
        found.length > room ? (found[room - 1]?.no ?? (found[0]?.no ?? 0) + 1) : null,
      ),
    }
  },
)

function owedFilter({ seq, fanout }: LoggedEvent, matched: 'true' | 'false' | undefined): OwedFilter | null {
  // A negative number is a subscription that wanted the event but was disabled.
  return matched === undefined ? null : { seq, fanoutNos: fanout.map(Math.abs), isOwed: matched === 'true' }
}

/** Finds the target of a dispatched event, which no list of subscriptions shows. */
async function targetsOf(deps: ApiDeps, workspaceId: string, event: LoggedEvent): Promise<Subscription[]> {
  const [no] = event.fanout
  const target = no === undefined ? null : await findSubscriptionByNo(deps.db, workspaceId, no)
  return target === null ? [] : [target]
}

function isMatched({ fanout }: LoggedEvent, no: number): boolean {
  return fanout.includes(no) || fanout.includes(-no)
}

type Fate = {
  subscription: Subscription
  row: LoggedDelivery | undefined
  /** Left out where the event matched. */
  refusal: Refusal | undefined
}

async function showFate(
  { db, now }: Pick<ApiDeps, 'db' | 'now'>,
  event: LoggedEvent,
  { subscription, row, refusal }: Fate,
): Promise<z.infer<typeof rowSchema>> {
  const common = { webhookId: subscription.id, url: maskUrl(subscription.settings.url) }
  if (row !== undefined || event.fanout.includes(subscription.no)) {
    const logged = row ?? unrecorded(event, subscription.no)
    const earlier = logged.attempts > 1 ? await earlierAttempts(db, subscription.no, [event.seq]) : []
    const delivery = deliveryAnswer(logged, earlier, { subscription, nowMs: now() })
    return { ...common, matched: true, reason: delivery.reason, explanation: null, delivery }
  }
  if (refusal === undefined) {
    const explanation = 'The subscription wanted the event but was disabled when it was accepted.'
    return { ...common, matched: true, reason: 'disabled', explanation, delivery: null }
  }
  const { reason, explanation, rules } = refusal
  const refused = rules.length > 0 ? { rules } : {}
  return { ...common, matched: false, reason, explanation, ...refused, delivery: null }
}
