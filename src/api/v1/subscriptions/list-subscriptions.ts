import * as z from 'zod'
import { totalCounters } from '../../../history/statistics.sql.ts'
import { uidSchema } from '../../../subscription/input.ts'
import type { Subscription } from '../../../subscription/subscription.ts'
import { findSubscriptionByUid, listSubscriptions as list } from '../../../subscription/subscriptions.sql.ts'
import type { ApiDeps } from '../../context.ts'
import { defineRoute } from '../../define-route.ts'
import { cursorStart, nextCursor, PAGE_LIMIT_DEFAULT, pagingShape, readInSteps } from '../../paging.ts'
import { subscriptionAnswer, subscriptionAnswerSchema } from './subscription-answer.ts'

/** `GET /webhooks`: a workspace's subscriptions, newest first. */
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
    query: z.strictObject({ uid: uidSchema.optional(), ...pagingShape }),
    answer: z.array(subscriptionAnswerSchema),
    paged: true,
  },
  async ({ deps, workspaceId, query }) => {
    const limit = query.limit ?? PAGE_LIMIT_DEFAULT
    const belowNo = cursorStart('subscriptions', query.cursor, Number.MAX_SAFE_INTEGER)
    const { rows: page, hasMore } = await readInSteps(limit, {
      read: async (after: Subscription | undefined, rowsMax) =>
        query.uid === undefined
          ? await list(deps.db, workspaceId, {
              belowNo: after?.no ?? belowNo,
              limit: rowsMax,
              withDeleted: false,
              binding: deps.reach.binding,
            })
          : await findByUid(deps, workspaceId, query.uid),
      charsOf: ({ settings }) => JSON.stringify(settings).length,
    })
    const counters = await totalCounters(
      deps.db,
      page.map(({ no }) => no),
    )
    const nowMs = deps.now()
    return {
      data: await Promise.all(
        page.map((subscription) => {
          const answer = { counters: counters.get(subscription.no), nowMs }
          return subscriptionAnswer(deps.vault, subscription, answer)
        }),
      ),
      pagination: nextCursor('subscriptions', hasMore ? (page.at(-1)?.no ?? null) : null),
    }
  },
)

/** The one subscription of a list by uid, or none. */
async function findByUid({ db, reach }: ApiDeps, workspaceId: string, uid: string): Promise<Subscription[]> {
  const found = await findSubscriptionByUid(db, workspaceId, uid)
  return found !== null && reach.includes(found.settings.metadata) ? [found] : []
}
