import { z } from 'zod'
import { eventIdOf } from '../../domain/delivery.ts'
import { defaultPayload } from '../../domain/event.ts'
import { getBody } from '../../storage/bodies.ts'
import { eventAnswer, eventAnswerSchema } from '../event-answer.ts'
import { anyEvent } from '../find.ts'
import { route } from '../route.ts'

const answerSchema = eventAnswerSchema.extend({
  payload: z.string().nullable().describe('The default payload, as text: numbers stand as they were sent'),
})

/** `GET /events/{id}`: an event by its own or its generated id, with its payload. */
export const getEvent = route(
  { method: 'get', path: '/events/{id}', summary: 'Get an event', tag: 'Events', answer: answerSchema },
  async ({ relay, workspaceId, id }) => {
    const event = await anyEvent(relay, workspaceId, id)
    const large = event.bodyKey === null ? null : await getBody(relay.env.BODIES, event.bodyKey)
    const body = event.body ?? (large === null ? null : new TextDecoder().decode(large))
    const payload = body === null ? null : defaultPayload({ id: eventIdOf(event), type: event.type, body })
    return { data: { ...eventAnswer(event), payload } }
  },
)
