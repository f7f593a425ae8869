import type { Route } from '../../define-route.ts'
import { getAttempt } from './attempts/get-attempt.ts'
import { getDelivery } from './get-delivery.ts'
import { getStatistics } from './get-statistics.ts'
import { listDeliveries } from './list-deliveries.ts'
import { listLog } from './list-log.ts'
import { retryDelivery } from './retry-delivery.ts'
import { testSubscription } from './test-subscription.ts'

/** Calls that are about deliveries, in the order of the API document. */
export const deliveryRoutes: readonly Route[] = [
  listLog,
  getStatistics,
  testSubscription,
  listDeliveries,
  getDelivery,
  getAttempt,
  retryDelivery,
]
