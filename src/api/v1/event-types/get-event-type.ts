import { findEventType } from '../../../catalogue/event-types.sql.ts'
import { notFound } from '../../../model/errors.ts'
import { route } from '../../define-route.ts'
import { eventTypeAnswer, eventTypeAnswerSchema, nameInPath } from './event-type-answer.ts'

/** `GET /event-types/{name}`. */
export const getEventType = route(
  {
    method: 'get',
    path: '/event-types/{name}',
    summary: 'Show an event type',
    tag: 'Event types',
    answer: eventTypeAnswerSchema,
  },
  async ({ relay, workspaceId, url }) => {
    const type = await findEventType(relay.env.DB, workspaceId, nameInPath(url))
    if (type === null) throw notFound('event type')
    return { data: eventTypeAnswer(type) }
  },
)
