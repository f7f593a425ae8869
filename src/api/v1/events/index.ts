import type { Route } from '../../define-route.ts'
import { cancelEvent } from './cancel-event.ts'
import { dispatchEvent } from './dispatch-event.ts'
import { eraseEvent } from './erase-event.ts'
import { getEvent } from './get-event.ts'
import { listEventDeliveries } from './list-event-deliveries.ts'
import { listEvents } from './list-events.ts'
import { publishEvents } from './publish-events.ts'

/** Calls that are about events, in the order of the API document. */
export const eventRoutes: readonly Route[] = [
  publishEvents,
  dispatchEvent,
  listEvents,
  getEvent,
  eraseEvent,
  cancelEvent,
  listEventDeliveries,
]
