import type { Route } from './route.ts'
import { deleteEventType } from './routes/delete-event-type.ts'
import { deleteSubscription } from './routes/delete-subscription.ts'
import { dispatchEvent } from './routes/dispatch-event.ts'
import { getDelivery } from './routes/get-delivery.ts'
import { getEvent } from './routes/get-event.ts'
import { getEventType } from './routes/get-event-type.ts'
import { getSecret } from './routes/get-secret.ts'
import { getStatistics } from './routes/get-statistics.ts'
import { getSubscription } from './routes/get-subscription.ts'
import { getWorkspace } from './routes/get-workspace.ts'
import { importEventTypes } from './routes/import-event-types.ts'
import { listEventDeliveries } from './routes/list-event-deliveries.ts'
import { listEventTypes } from './routes/list-event-types.ts'
import { listEvents } from './routes/list-events.ts'
import { listLog } from './routes/list-log.ts'
import { listSubscriptions } from './routes/list-subscriptions.ts'
import { previewDraft } from './routes/preview-draft.ts'
import { previewSubscription } from './routes/preview-subscription.ts'
import { publishEvents } from './routes/publish-events.ts'
import { putEventType } from './routes/put-event-type.ts'
import { putWorkspace } from './routes/put-workspace.ts'
import { retryDelivery } from './routes/retry-delivery.ts'
import { rotateSecret } from './routes/rotate-secret.ts'
import { subscribe } from './routes/subscribe.ts'
import { testSubscription } from './routes/test-subscription.ts'
import { updateSubscription } from './routes/update-subscription.ts'

/** Every call of the API, one file each. */
export const routes: readonly Route[] = [
  publishEvents,
  dispatchEvent,
  listEvents,
  getEvent,
  listEventDeliveries,
  subscribe,
  previewDraft,
  listSubscriptions,
  getSubscription,
  updateSubscription,
  deleteSubscription,
  getSecret,
  rotateSecret,
  previewSubscription,
  listLog,
  getStatistics,
  testSubscription,
  getDelivery,
  retryDelivery,
  listEventTypes,
  importEventTypes,
  getEventType,
  putEventType,
  deleteEventType,
  getWorkspace,
  putWorkspace,
]
