import type { Route } from '../define-route.ts'
import { getRelayStatus } from '../operations/get-relay-status.ts'
import { getStatus } from '../operations/get-status.ts'
import { getKeyRotation, rotateKeys } from '../operations/key-rotation.ts'
import { accessRoutes } from './access/index.ts'
import { archiveRoutes } from './archives/index.ts'
import { auditRoutes } from './audit/index.ts'
import { deliveryRoutes } from './deliveries/index.ts'
import { diagnosisRoutes } from './diagnosis/index.ts'
import { eventTypeRoutes } from './event-types/index.ts'
import { eventRoutes } from './events/index.ts'
import { listenerRoutes } from './listeners/index.ts'
import { replayRoutes } from './replays/index.ts'
import { statisticsRoutes } from './statistics/index.ts'
import { streamRoutes } from './stream/index.ts'
import { subscriptionRoutes } from './subscriptions/index.ts'
import { workspaceRoutes } from './workspace/index.ts'

/** Every call of the API, in the order of the API document: each resource lists its own. */
export const routes: readonly Route[] = [
  ...eventRoutes,
  ...subscriptionRoutes,
  ...deliveryRoutes,
  ...statisticsRoutes,
  ...streamRoutes,
  ...listenerRoutes,
  ...diagnosisRoutes,
  ...eventTypeRoutes,
  ...workspaceRoutes,
  ...accessRoutes,
  ...auditRoutes,
  ...replayRoutes,
  ...archiveRoutes,
  getStatus,
  getRelayStatus,
  getKeyRotation,
  rotateKeys,
]
