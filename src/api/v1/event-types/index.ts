import type { Route } from '../../define-route.ts'
import { deleteEventType, getEventType, putEventType } from './event-type.ts'
import { importEventTypes } from './import-event-types.ts'
import { listEventTypes } from './list-event-types.ts'

/** Calls that are about the catalogue of event types, in the order of the API document. */
export const eventTypeRoutes: readonly Route[] = [
  listEventTypes,
  importEventTypes,
  getEventType,
  putEventType,
  deleteEventType,
]
