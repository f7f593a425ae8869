import * as z from 'zod'
import { iso, isoOrNull } from '../../../base/time.ts'
import type { ListedEvent, LoggedEvent } from '../../../history/event-log.sql.ts'
import { eventIdOf } from '../../../model/delivery.ts'

const eventShape = {
  id: z.string(),
  event: z.string(),
  acceptedAt: z.string(),
  matched: z.int().describe('How many subscriptions it is delivered to'),
  test: z.boolean(),
  dispatched: z.boolean().describe('Sent by POST /dispatch to one URL'),
  deliverAt: z.string().nullable(),
  expiresAfterSeconds: z.int().nullable(),
  cancelledAt: z.string().nullable(),
  erasedAt: z.string().nullable().describe('When its content was erased'),
}

/** An event as lists show it. */
export const eventAnswerSchema = z.object(eventShape).meta({ id: 'Event' })

/** Shows an event without its content. */
export function eventAnswer(event: LoggedEvent): z.infer<typeof eventAnswerSchema> {
  return listedEventAnswer({ ...event, matched: event.fanout.filter((no) => no > 0).length })
}

/** Shows an event of a list. */
export function listedEventAnswer(event: ListedEvent): z.infer<typeof eventAnswerSchema> {
  return {
    id: eventIdOf(event),
    event: event.type,
    acceptedAt: iso(event.acceptedAtMs),
    matched: event.matched,
    test: event.isTest,
    dispatched: event.isDispatch,
    deliverAt: isoOrNull(event.deliverAtMs),
    expiresAfterSeconds: event.expiresAfterSeconds,
    cancelledAt: isoOrNull(event.cancelledAtMs),
    erasedAt: isoOrNull(event.erasedAtMs),
  }
}
