import * as z from 'zod'
import { readPayload } from '../../../store/event-text.ts'
import { defineRoute } from '../../define-route.ts'
import { findAnyEvent } from '../../find.ts'
import { eventAnswer, eventAnswerSchema } from './event-answer.ts'

const answerSchema = eventAnswerSchema
  .extend({
    payload: z.string().nullable().describe('The default payload, as text: numbers stand as they were sent'),
  })
  .meta({ id: 'EventWithPayload' })

/** `GET /events/{id}`: an event by its own or its generated id, with its payload. */
export const getEvent = defineRoute(
  {
    method: 'get',
    path: '/events/{id}',
    operationId: 'getEvent',
    summary: 'Get an event',
    tag: 'Events',
    scope: 'events:read',
    forBound: 'own',
    refusals: ['not_found'],
    answer: answerSchema,
  },
  async ({ deps, workspaceId, id }) => {
    const event = await findAnyEvent(deps, workspaceId, id)
    const payload = await readPayload(deps.bodies, event)
    return { data: { ...eventAnswer(event), payload } }
  },
)
