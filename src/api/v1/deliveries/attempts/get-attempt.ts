import { earlierAttempts } from '../../../../history/attempt-log.sql.ts'
import { notFound } from '../../../../model/errors.ts'
import { defineRoute } from '../../../define-route.ts'
import { findAnyDelivery } from '../../../find.ts'
import { lastAttemptOf } from '../delivery-answer.ts'
import { attemptDetail, attemptDetailSchema } from './attempt-detail.ts'

/** `GET /deliveries/{id}/attempts/{n}`: one attempt, with what was sent and what came back. */
export const getAttempt = defineRoute(
  {
    method: 'get',
    path: '/deliveries/{id}/attempts/{n}',
    operationId: 'getAttempt',
    summary: 'Get one attempt of a delivery in full',
    tag: 'Deliveries',
    scope: 'deliveries:read',
    forBound: 'own',
    refusals: ['not_found'],
    answer: attemptDetailSchema,
  },
  async ({ deps, workspaceId, caller, id, url }) => {
    const { delivery, subscription } = await findAnyDelivery(deps, workspaceId, id)
    const earlier = await earlierAttempts(deps.db, subscription.no, [delivery.seq])
    const attempts = [...earlier, ...lastAttemptOf(delivery)]
    const n = url.pathname.split('/').at(-1)
    const at = attempts.findIndex((each) => String(each.n) === n)
    const attempt = attempts[at]
    if (attempt === undefined) throw notFound('attempt')
    const detailed = { delivery, subscription, attempt, before: attempts[at - 1] }
    return { data: await attemptDetail(deps, caller, detailed) }
  },
)
