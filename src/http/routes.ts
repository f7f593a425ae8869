import type { Route } from './route.ts'
import { deleteSubscription } from './routes/delete-subscription.ts'
import { getDelivery } from './routes/get-delivery.ts'
import { getEvent } from './routes/get-event.ts'
import { getSecret } from './routes/get-secret.ts'
import { getStatistics } from './routes/get-statistics.ts'
import { getSubscription } from './routes/get-subscription.ts'
import { listEventDeliveries } from './routes/list-event-deliveries.ts'
import { listEvents } from './routes/list-events.ts'
import { listLog } from './routes/list-log.ts'
import { listSubscriptions } from './routes/list-subscriptions.ts'
import { publishEvents } from './routes/publish-events.ts'
import { retryDelivery } from './routes/retry-delivery.ts'
import { subscribe } from './routes/subscribe.ts'
import { testSubscription } from './routes/test-subscription.ts'
import { updateSubscription } from './routes/update-subscription.ts'

/** Every call of the API, one file each. */
export const routes: readonly Route[] = [
  publishEvents,
  listEvents,
  getEvent,
  listEventDeliveries,
  subscribe,
  listSubscriptions,
  getSubscription,
  updateSubscription,
  deleteSubscription,
  getSecret,
  listLog,
  getStatistics,
  testSubscription,
  getDelivery,
  retryDelivery,
]
