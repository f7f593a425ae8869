import type { Route } from '../define-route.ts'
import { getStatus } from '../operations/get-status.ts'
import { getArchive } from './archives/get-archive.ts'
import { listArchives } from './archives/list-archives.ts'
import { restoreArchive } from './archives/restore-archive.ts'
import { getDelivery } from './deliveries/get-delivery.ts'
import { getStatistics } from './deliveries/get-statistics.ts'
import { listLog } from './deliveries/list-log.ts'
import { retryDelivery } from './deliveries/retry-delivery.ts'
import { deleteEventType, getEventType, putEventType } from './event-types/event-type.ts'
import { importEventTypes } from './event-types/import-event-types.ts'
import { listEventTypes } from './event-types/list-event-types.ts'
import { cancelEvent } from './events/cancel-event.ts'
import { dispatchEvent } from './events/dispatch-event.ts'
import { eraseEvent } from './events/erase-event.ts'
import { getEvent } from './events/get-event.ts'
import { listEventDeliveries } from './events/list-event-deliveries.ts'
import { listEvents } from './events/list-events.ts'
import { publishEvents } from './events/publish-events.ts'
import { replayDelivery } from './replays/replay-delivery.ts'
import { replayEvent } from './replays/replay-event.ts'
import { replaySubscription } from './replays/replay-subscription.ts'
import { cancelReplay, getReplay, listReplays } from './replays/replays.ts'
import { subscribe } from './subscriptions/create-subscription.ts'
import { deleteSubscription } from './subscriptions/delete-subscription.ts'
import { getSubscription } from './subscriptions/get-subscription.ts'
import { listSubscriptions } from './subscriptions/list-subscriptions.ts'
import { previewDraft, previewSubscription } from './subscriptions/preview.ts'
import { getSecret, rotateSecret } from './subscriptions/secrets.ts'
import {
  enableSubscription,
  flushSubscription,
  pauseSubscription,
  resumeSubscription,
} from './subscriptions/switches.ts'
import { testSubscription } from './subscriptions/test-subscription.ts'
import { updateSubscription } from './subscriptions/update-subscription.ts'
import { getWorkspace, putWorkspace } from './workspace/workspace.ts'

/** Every call of the API, one file each. */
export const routes: readonly Route[] = [
  publishEvents,
  dispatchEvent,
  listEvents,
  getEvent,
  eraseEvent,
  cancelEvent,
  listEventDeliveries,
  subscribe,
  previewDraft,
  listSubscriptions,
  getSubscription,
  updateSubscription,
  deleteSubscription,
  getSecret,
  enableSubscription,
  resumeSubscription,
  flushSubscription,
  pauseSubscription,
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
  replaySubscription,
  replayEvent,
  replayDelivery,
  listReplays,
  getReplay,
  cancelReplay,
  listArchives,
  getArchive,
  restoreArchive,
  getStatus,
]
