import { z } from 'zod'
import { cancelEvent as cancel } from '../../../deliver/end-event.sql.ts'
import { defineRoute } from '../../define-route.ts'
import { anyEvent } from '../../find.ts'
import { eventAnswer, eventAnswerSchema } from './event-answer.ts'

/** `POST /events/{id}/cancel`: ends every delivery of an event that is still outstanding as `skipped: cancelled`. */
export const cancelEvent = defineRoute(
  {
    method: 'post',
    path: '/events/{id}/cancel',
    summary: 'Cancel the outstanding deliveries of an event',
    tag: 'Events',
    answer: eventAnswerSchema.extend({ cancelledDeliveries: z.int() }),
  },
  async ({ relay, background, workspaceId, id }) => {
    const event = await anyEvent(relay, workspaceId, id)
    const { deliveries, pacedNos } = await cancel(relay.env.DB, event, relay.now())
    if (pacedNos.length > 0) background(relay.hints.paced(pacedNos.map((no) => ({ no }))))
    const now = await anyEvent(relay, workspaceId, id)
    return { data: { ...eventAnswer(now), cancelledDeliveries: deliveries } }
  },
)
