import type { LoggedDelivery } from '../../../history/delivery-log.sql.ts'
import { findEventBySeq } from '../../../history/event-log.sql.ts'
import { eventIdOf } from '../../../model/delivery.ts'
import { findReplay } from '../../../replay/replays.sql.ts'
import { runReplayStep } from '../../../replay/run.ts'
import { startReplay } from '../../../replay/start.ts'
import type { Subscription } from '../../../subscription/subscription.ts'
import type { ApiDeps } from '../../context.ts'
import { defineRoute } from '../../define-route.ts'
import { findAnyDelivery } from '../../find.ts'
import {
  newReplayId,
  replayAnswer,
  replayAnswerSchema,
  replayConflict,
  startedOrRefused,
} from './replay-answer.ts'

const OUTSTANDING =
  'An attempt of this delivery is still to come; POST /deliveries/{id}/retry makes a scheduled one at once.'

/**
 * `POST /deliveries/{id}/replay`: makes one delivery again, also after a success, rendered afresh. 409
 * while an attempt of it is still to come, and when it cannot be delivered.
 */
export const replayDelivery = defineRoute(
  {
    method: 'post',
    path: '/deliveries/{id}/replay',
    summary: 'Replay a delivery',
    tag: 'Replays',
    status: 202,
    answer: replayAnswerSchema,
  },
  async ({ deps, workspaceId, id }) => {
    const { delivery, subscription } = await findAnyDelivery(deps, workspaceId, id)
    await requireReplayable(deps, workspaceId, delivery, subscription)
    const { workspaceNo, no: subscriptionNo } = subscription
    const scope = { kind: 'delivery', seq: delivery.seq, eventId: eventIdOf(delivery) } as const
    const { no, id: replayId } = startedOrRefused(
      await startReplay({ ...deps, newId: newReplayId }, { workspaceNo, subscriptionNo, scope }),
    )
    // Its only step is made here. Where that fails the sweeper makes it.
    const { wake } = await runReplayStep(deps, no)
    deps.background(deps.hints.dueAt(wake))
    const replay = await findReplay(deps.db, workspaceId, replayId)
    if (replay === null) throw new Error('a replay vanished after its step')
    if (replay.state === 'completed' && replay.replayed === 0) throw replayConflict(OUTSTANDING)
    return { data: replayAnswer(replay) }
  },
)

async function requireReplayable(
  deps: ApiDeps,
  workspaceId: string,
  delivery: LoggedDelivery,
  subscription: Subscription,
): Promise<void> {
  if (subscription.deletedAtMs !== null) throw replayConflict('The webhook has been deleted.')
  if (!subscription.active)
    throw replayConflict('The webhook is disabled. Enable it first: PUT /webhooks/{id} {"active": true}.')
  if (delivery.state === 'pending' || delivery.dueAtMs !== null) throw replayConflict(OUTSTANDING)
  const event = await findEventBySeq(deps.db, workspaceId, delivery.seq)
  if (event === null) throw replayConflict('The event is past its retention.')
  if (event.cancelledAtMs !== null) throw replayConflict('The event was cancelled. Publish it again.')
  if (event.erasedAtMs !== null)
    throw replayConflict('The content of the event was erased. Publish it again.')
}
