import * as z from 'zod'
import { emptyCounters } from '../../../history/counters.ts'
import { readListedCounters } from '../../../history/listed-counters.sql.ts'
import { boundSubscriptionNos } from '../../../subscription/bound.sql.ts'
import { uidSchema } from '../../../subscription/input.ts'
import type { Subscription } from '../../../subscription/subscription.ts'
import { findSubscriptionByUid, listSubscriptions as list } from '../../../subscription/subscriptions.sql.ts'
import type { ApiDeps } from '../../context.ts'
import { defineRoute } from '../../define-route.ts'
import { cursorStart, nextCursor, PAGE_LIMIT_DEFAULT, pagingShape, readInSteps } from '../../paging.ts'
import { firstHourOfLastDay, lastDayAnswer } from '../statistics/last-day.ts'
import { readSortedPage, type SortedQuery, sortedShape } from './sorted-page.ts'
import { subscriptionAnswer, subscriptionAnswerSchema } from './subscription-answer.ts'

/** `GET /webhooks`: a workspace's subscriptions, newest first unless they are sorted otherwise, each with its last day. */
export const listSubscriptions = defineRoute(
  {
    method: 'get',
    path: '/webhooks',
    operationId: 'listSubscriptions',
    summary: 'List subscriptions',
    tag: 'Subscriptions',
    scope: 'webhooks:read',
    forBound: 'own',
    refusals: [],
    query: z.strictObject({ uid: uidSchema.optional(), ...sortedShape, ...pagingShape }),
    answer: z.array(subscriptionAnswerSchema),
    paged: true,
  },
  async ({ deps, workspaceId, query }) => {
    const limit = query.limit ?? PAGE_LIMIT_DEFAULT
    const { page, nextCursor: next } =
      isSorted(query) && query.uid === undefined
        ? await readSortedPage(deps, workspaceId, {
            ...query,
            limit,
            among: await boundSubscriptionNos(deps.db, workspaceId, deps.reach.binding),
          })
        : await readNewest(deps, workspaceId, { ...query, limit })
    const nowMs = deps.now()
    const listed = await readListedCounters(
      deps.db,
      page.map(({ no }) => no),
      firstHourOfLastDay(nowMs),
    )
    return {
      data: await Promise.all(
        page.map((subscription) => {
          const { total, hours } = listed.get(subscription.no) ?? { total: emptyCounters(), hours: [] }
          const answer = { counters: total, nowMs, lastDay: lastDayAnswer(hours, nowMs) }
          return subscriptionAnswer(deps.vault, subscription, answer)
        }),
      ),
      pagination: { nextCursor: next },
    }
  },
)

function isSorted({ health, q, sort }: Pick<SortedQuery, 'health' | 'q' | 'sort'>): boolean {
  return health !== undefined || q !== undefined || sort !== undefined
}

type NewestQuery = { uid?: string | undefined; cursor?: string | undefined; limit: number }

async function readNewest(
  deps: ApiDeps,
  workspaceId: string,
  { uid, cursor, limit }: NewestQuery,
): Promise<{ page: Subscription[]; nextCursor: string | null }> {
  const belowNo = cursorStart('subscriptions', cursor, Number.MAX_SAFE_INTEGER)
  const { rows: page, hasMore } = await readInSteps(limit, {
    read: async (after: Subscription | undefined, rowsMax) =>
      uid === undefined
        ? await list(deps.db, workspaceId, {
            belowNo: after?.no ?? belowNo,
            limit: rowsMax,
            withDeleted: false,
            binding: deps.reach.binding,
          })
        : await findByUid(deps, workspaceId, uid),
    charsOf: ({ settings }) => JSON.stringify(settings).length,
  })
  return { page, ...nextCursor('subscriptions', hasMore ? (page.at(-1)?.no ?? null) : null) }
}

/** The one subscription of a list by uid, or none. */
async function findByUid({ db, reach }: ApiDeps, workspaceId: string, uid: string): Promise<Subscription[]> {
  const found = await findSubscriptionByUid(db, workspaceId, uid)
  return found !== null && reach.includes(found.settings.metadata) ? [found] : []
}
