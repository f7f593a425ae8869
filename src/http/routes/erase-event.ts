import { deleteBodies } from '../../storage/bodies.ts'
import { cancelEvent as cancel, eraseEvent as erase } from '../../storage/event-ending.ts'
import { eventAnswer, eventAnswerSchema } from '../event-answer.ts'
import { anyEvent } from '../find.ts'
import { route } from '../route.ts'

/**
 * `DELETE /events/{id}`: erases an event's content, what was kept of it for retries and what receivers answered to it;
 * its trace stays (type, times, statuses). Outstanding deliveries are cancelled. It cannot be undone.
 */
export const eraseEvent = route(
  {
    method: 'delete',
    path: '/events/{id}',
    summary: 'Erase the content of an event',
    tag: 'Events',
    answer: eventAnswerSchema,
  },
  async ({ relay, background, workspaceId, id }) => {
    const event = await anyEvent(relay, workspaceId, id)
    // What it held in an order goes at once.
    const { pacedNos } = await cancel(relay.env.DB, event, relay.now())
    if (pacedNos.length > 0) background(relay.hintPaced(pacedNos.map((no) => ({ no }))))
    const keys = await erase(relay.env.DB, event, relay.now())
    await deleteBodies(relay.env.BODIES, keys)
    return { data: eventAnswer(await anyEvent(relay, workspaceId, id)) }
  },
)
