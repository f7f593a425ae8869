import { type ReplayRefusal, replayDelivery as replay } from '../../../replay/replay-delivery.ts'
import { boundSubscriptionNos } from '../../../subscription/bound.sql.ts'
import { defineRoute } from '../../define-route.ts'
import { findAnyDelivery } from '../../find.ts'
import { replayAnswer, replayAnswerSchema, replayConflict, START_REFUSALS } from './replay-answer.ts'

/**
 * `POST /deliveries/{id}/replay`: makes one delivery again, past its outcome and rendered afresh.
 * 409 while an attempt of it is still to come, and when it cannot be delivered.
 */
export const replayDelivery = defineRoute(
  {
    method: 'post',
    path: '/deliveries/{id}/replay',
    operationId: 'replayDelivery',
    summary: 'Replay a delivery',
    tag: 'Replays',
    scope: 'deliveries:retry',
    forBound: 'own',
    refusals: ['not_found', 'conflict'],
    status: 202,
    answer: replayAnswerSchema,
  },
  async ({ deps, workspaceId, id }) => {
    const { delivery, subscription } = await findAnyDelivery(deps, workspaceId, id)
    const boundTo = await boundSubscriptionNos(deps.db, workspaceId, deps.reach.binding)
    const replayed = await replay(deps, delivery, { subscription, boundTo })
    if (replayed.kind === 'refused') throw replayConflict(MESSAGES[replayed.reason])
    return { data: replayAnswer(replayed.replay) }
  },
)

const MESSAGES: Readonly<Record<ReplayRefusal, string>> = {
  subscription_deleted: 'The webhook has been deleted.',
  subscription_disabled: 'The webhook is disabled. Enable it first: PUT /webhooks/{id} {"active": true}.',
  outstanding:
    'An attempt of this delivery is still to come; POST /deliveries/{id}/retry makes a scheduled one at once.',
  event_gone: 'The event is past its retention.',
  event_cancelled: 'The event was cancelled. Publish it again.',
  event_erased:
    'The content of the event was erased. Publish it anew, under another id: this one stays taken.',
  ...START_REFUSALS,
}
