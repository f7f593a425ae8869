import { eraseEvent as erase } from '../../../deliver/requested/end-event.ts'
import { defineRoute } from '../../define-route.ts'
import { findAnyEvent } from '../../find.ts'
import { eventAnswer, eventAnswerSchema } from './event-answer.ts'

/**
 * `DELETE /events/{id}`: erases an event's content, all that was kept of
 * it for retries, and the answers to it; its trace stays (type, times,
 * statuses). Outstanding deliveries are cancelled. It cannot be undone.
 */
export const eraseEvent = defineRoute(
  {
    method: 'delete',
    path: '/events/{id}',
    operationId: 'eraseEvent',
    summary: 'Erase the content of an event',
    tag: 'Events',
    scope: 'workspace:admin',
    forBound: 'refused',
    refusals: ['not_found'],
    answer: eventAnswerSchema,
  },
  async ({ deps, workspaceId, id }) => {
    await erase(deps, await findAnyEvent(deps, workspaceId, id))
    return { data: eventAnswer(await findAnyEvent(deps, workspaceId, id)) }
  },
)
