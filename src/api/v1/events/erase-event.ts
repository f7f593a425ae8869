import { eraseEvent as erase } from '../../../deliver/end-event.sql.ts'
import { deleteBodies } from '../../../store/bodies.ts'
import { defineRoute } from '../../define-route.ts'
import { anyEvent } from '../../find.ts'
import { eventAnswer, eventAnswerSchema } from './event-answer.ts'

/**
 * `DELETE /events/{id}`: erases an event's content, what was kept of it for retries and what receivers answered to it;
 * its trace stays (type, times, statuses). Outstanding deliveries are cancelled. It cannot be undone.
 */
export const eraseEvent = defineRoute(
  {
    method: 'delete',
    path: '/events/{id}',
    summary: 'Erase the content of an event',
    tag: 'Events',
    answer: eventAnswerSchema,
  },
  async ({ relay, background, workspaceId, id }) => {
    const event = await anyEvent(relay, workspaceId, id)
    const { pacedNos, bodyKeys } = await erase(relay.env.DB, event, relay.now())
    if (pacedNos.length > 0) background(relay.hints.paced(pacedNos.map((no) => ({ no }))))
    await deleteBodies(relay.env.BODIES, bodyKeys)
    return { data: eventAnswer(await anyEvent(relay, workspaceId, id)) }
  },
)
