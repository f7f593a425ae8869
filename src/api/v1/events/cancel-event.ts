import * as z from 'zod'
import { cancelEvent as cancel } from '../../../deliver/requested/end-event.ts'
import { defineRoute } from '../../define-route.ts'
import { findAnyEvent } from '../../find.ts'
import { eventAnswer, eventAnswerSchema } from './event-answer.ts'

/**
 * `POST /events/{id}/cancel`: ends every delivery of an
 * event that is still outstanding as `skipped: cancelled`.
 */
export const cancelEvent = defineRoute(
  {
    method: 'post',
    path: '/events/{id}/cancel',
    operationId: 'cancelEvent',
    summary: 'Cancel the outstanding deliveries of an event',
    tag: 'Events',
    scope: 'events:publish',
    forBound: 'refused',
    refusals: ['not_found'],
    answer: eventAnswerSchema.extend({ cancelledDeliveries: z.int() }),
  },
  async ({ deps, workspaceId, id }) => {
    const cancelledDeliveries = await cancel(deps, await findAnyEvent(deps, workspaceId, id))
    const event = await findAnyEvent(deps, workspaceId, id)
    return { data: { ...eventAnswer(event), cancelledDeliveries } }
  },
)
