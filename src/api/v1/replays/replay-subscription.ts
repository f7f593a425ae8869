import * as z from 'zod'
import { countReplay } from '../../../replay/count.ts'
import { hintReplay, startReplay } from '../../../replay/start.ts'
import { boundSubscriptionNos } from '../../../subscription/bound.sql.ts'
import { defineRoute } from '../../define-route.ts'
import { findAnySubscription } from '../../find.ts'
import { replayAnswer, replayAnswerSchema, replayConflict, startedOrRefused } from './replay-answer.ts'
import { replaySubscriptionSchema, selectionOf } from './replay-request.ts'

const replayCountShape = {
  dryRun: z.literal(true),
  count: z.int().describe('Deliveries that a replay would make due now'),
  countIsMinimum: z.literal(true).optional().describe('There was too much to look at all of it'),
}

const dryRunSchema = z.object(replayCountShape).meta({ id: 'ReplayCount' })

/**
 * `POST /webhooks/{id}/replay`: makes past deliveries due again in the background; with `backfill`
 * also events that were never owed; `dryRun` only counts (200). 409 when the subscription is deleted
 * or disabled, and when too many replays are running.
 */
export const replaySubscription = defineRoute(
  {
    method: 'post',
    path: '/webhooks/{id}/replay',
    operationId: 'replaySubscription',
    summary: "Replay a subscription's past deliveries",
    tag: 'Replays',
    scope: 'deliveries:retry',
    forBound: 'own',
    refusals: ['not_found', 'conflict'],
    status: 202,
    body: replaySubscriptionSchema,
    bodyOptional: true,
    answer: replayAnswerSchema,
    answerDescription: 'Started',
    otherAnswers: { 200: { answer: dryRunSchema, description: 'Counted only, with `dryRun`' } },
  },
  async ({ deps, workspaceId, id, body }) => {
    const subscription = await findAnySubscription(deps, workspaceId, id)
    if (subscription.deletedAtMs !== null) {
      throw replayConflict(
        'The webhook has been deleted. Subscribe anew and replay to the new webhook with "backfill": true.',
      )
    }
    if (!subscription.active)
      throw replayConflict('The webhook is disabled. Enable it first: PUT /webhooks/{id} {"active": true}.')
    const scope = selectionOf(body)
    if (body.dryRun === true) {
      const { count, isMinimum } = await countReplay(deps, subscription, scope)
      return { status: 200, data: { dryRun: true, count, ...(isMinimum && { countIsMinimum: true }) } }
    }
    const { workspaceNo, no: subscriptionNo } = subscription
    const boundTo = await boundSubscriptionNos(deps.db, workspaceId, deps.reach.binding)
    const asking = { workspaceNo, subscriptionNo, scope, boundTo }
    const replay = startedOrRefused(await startReplay(deps, asking))
    deps.background(hintReplay(deps.hints, deps.log, replay.no))
    return { data: replayAnswer(replay) }
  },
)
