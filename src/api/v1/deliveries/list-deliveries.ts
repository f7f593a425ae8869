import * as z from 'zod'
import { type Caller, mayCall } from '../../../access/caller.ts'
import { isoOrNull } from '../../../base/time.ts'
import { listDeliveries as list } from '../../../history/all-deliveries/list-deliveries.ts'
import { type LogEntry, withAttempts } from '../../../history/log-page.ts'
import { EventSearch } from '../../../history/search/search-events.ts'
import { RelayError } from '../../../model/errors.ts'
import { boundSubscriptionNos } from '../../../subscription/bound.sql.ts'
import { findSubscriptionsByNo } from '../../../subscription/overview/by-no.sql.ts'
import type { Subscription } from '../../../subscription/subscription.ts'
import type { ApiDeps } from '../../context.ts'
import { defineRoute } from '../../define-route.ts'
import { findAnyDelivery, findAnySubscription, findNamedEvent, nullIfMissing } from '../../find.ts'
import { PAGE_LIMIT_DEFAULT, pagingShape } from '../../paging.ts'
import { searchTextSchema } from '../events/payload-search.ts'
import { deliveryAnswer, deliveryShape } from './delivery-answer.ts'
import { deliveriesStart, nextDeliveries } from './delivery-cursor.ts'
import { deliveryFiltersShape, responseCodeSchema, trueSchema } from './delivery-filters.ts'

/** Subscriptions that one call can name. */
const WEBHOOKS_MAX = 20

const querySchema = z.strictObject({
  ...deliveryFiltersShape,
  webhook: z
    .string()
    .transform((text) => [...new Set(text.split(','))])
    .refine((names) => names.length <= WEBHOOKS_MAX, `must name at most ${WEBHOOKS_MAX} subscriptions`)
    .describe('An id or uid of a subscription, or several joined by commas')
    .optional(),
  responseCode: responseCodeSchema.optional(),
  blocked: trueSchema.describe('Only those that have used up their retries and hold others').optional(),
  waiting: trueSchema.describe('Only those that an attempt is still to be made of').optional(),
  q: searchTextSchema
    .describe('The id of an event or a delivery, or else a text in the payload of its event, in any case')
    .optional(),
  ...pagingShape,
})

const rowSchema = z
  .object({
    ...deliveryShape,
    webhookName: z.string().nullable(),
    webhookDescription: z.string().nullable(),
    acceptedAt: z.string().nullable().describe('When the event was accepted; null where it is gone'),
  })
  .meta({ id: 'ListedDelivery', description: 'A delivery in the list of a whole workspace' })

/** `GET /deliveries`: those of all subscriptions, newest accepted first, each with its attempts. */
export const listDeliveries = defineRoute(
  {
    method: 'get',
    path: '/deliveries',
    operationId: 'listDeliveries',
    summary: "A workspace's deliveries",
    tag: 'Deliveries',
    scope: 'deliveries:read',
    forBound: 'own',
    refusals: ['not_found'],
    query: querySchema,
    answer: z.array(rowSchema),
    paged: true,
  },
  async ({ deps, workspaceId, caller, query }) => {
    const sought = await readSought(deps, caller, query.q)
    const selected = {
      subscriptionNos: both(await namedNos(deps, workspaceId, query.webhook), sought.subscriptionNos),
      onlySeq: sought.onlySeq,
      type: query.event ?? null,
      states: query.status ?? null,
      error: query.error ?? null,
      responseCodes: query.responseCode ?? null,
      isBlocked: query.blocked ?? false,
      isWaiting: query.waiting ?? false,
      acceptedFromMs: query.dateFrom ?? null,
      acceptedToMs: query.dateTo ?? null,
      below: deliveriesStart(query.cursor),
      limit: query.limit ?? PAGE_LIMIT_DEFAULT,
    }
    const { rows, next } = await list(deps.db, workspaceId, selected, sought)
    const entries = await withAttempts(deps.db, rows)
    const isCut = entries.length < rows.length
    return {
      data: await showEntries(deps, workspaceId, entries),
      pagination: nextDeliveries(isCut ? (entries.at(-1)?.delivery ?? next) : next),
    }
  },
)

/** The numbers of the subscriptions that a call names, or that its caller is bound to; null for all. */
async function namedNos(
  deps: ApiDeps,
  workspaceId: string,
  names: readonly string[] | undefined,
): Promise<number[] | null> {
  if (names === undefined) return await boundSubscriptionNos(deps.db, workspaceId, deps.reach.binding)
  const found = await Promise.all(names.map((name) => findAnySubscription(deps, workspaceId, name)))
  return [...new Set(found.map(({ no }) => no))]
}

/** What a search is for: a delivery, an event, or a text in payloads. */
type Sought = { subscriptionNos: number[] | null; onlySeq: number | null; search: EventSearch | null }

const NOTHING_SOUGHT: Sought = { subscriptionNos: null, onlySeq: null, search: null }

/** Finds out what a text names. Payloads are looked into only for callers who may read them. */
async function readSought(deps: ApiDeps, caller: Caller, q: string | undefined): Promise<Sought> {
  if (q === undefined) return NOTHING_SOUGHT
  const named = await nullIfMissing(findAnyDelivery(deps, caller.workspaceId, q))
  if (named !== null) {
    const { subscriptionNo, seq } = named.delivery
    return { ...NOTHING_SOUGHT, subscriptionNos: [subscriptionNo], onlySeq: seq }
  }
  const event = await findNamedEvent(deps, caller.workspaceId, q)
  if (event !== null) return { ...NOTHING_SOUGHT, onlySeq: event.seq }
  if (!mayCall(caller, 'events:read'))
    throw new RelayError('forbidden', 'Payloads are searched only with the scope events:read.')
  return { ...NOTHING_SOUGHT, search: new EventSearch(deps, { kind: 'text', text: q }) }
}

/** Subscriptions that two filters both let pass; null for all. */
function both(one: number[] | null, other: number[] | null): number[] | null {
  if (one === null || other === null) return one ?? other
  return one.filter((no) => other.includes(no))
}

async function showEntries({ db, now }: ApiDeps, workspaceId: string, entries: readonly LogEntry[]) {
  const nos = [...new Set(entries.map(({ delivery }) => delivery.subscriptionNo))]
  const found = await findSubscriptionsByNo(db, workspaceId, nos)
  const byNo = new Map(found.map((subscription) => [subscription.no, subscription]))
  const nowMs = now()
  return entries.flatMap(({ delivery, earlier }) => {
    const subscription = byNo.get(delivery.subscriptionNo)
    // A dispatch's target is purged with its last event.
    if (subscription === undefined) return []
    return [
      { ...deliveryAnswer(delivery, earlier, { subscription, nowMs }), ...listed(delivery, subscription) },
    ]
  })
}

function listed({ acceptedAtMs }: LogEntry['delivery'], { settings }: Subscription) {
  return {
    webhookName: settings.name,
    webhookDescription: settings.description,
    acceptedAt: isoOrNull(acceptedAtMs),
  }
}
