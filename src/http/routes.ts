import type { Route } from './route.ts'
import { cancelEvent } from './routes/cancel-event.ts'
import { cancelReplay } from './routes/cancel-replay.ts'
import { deleteEventType } from './routes/delete-event-type.ts'
import { deleteSubscription } from './routes/delete-subscription.ts'
import { dispatchEvent } from './routes/dispatch-event.ts'
import { enableSubscription } from './routes/enable-subscription.ts'
import { eraseEvent } from './routes/erase-event.ts'
import { flushSubscription } from './routes/flush-subscription.ts'
import { getArchive } from './routes/get-archive.ts'
import { getDelivery } from './routes/get-delivery.ts'
import { getEvent } from './routes/get-event.ts'
import { getEventType } from './routes/get-event-type.ts'
import { getReplay } from './routes/get-replay.ts'
import { getSecret } from './routes/get-secret.ts'
import { getStatistics } from './routes/get-statistics.ts'
import { getStatus } from './routes/get-status.ts'
import { getSubscription } from './routes/get-subscription.ts'
import { getWorkspace } from './routes/get-workspace.ts'
import { importEventTypes } from './routes/import-event-types.ts'
import { listArchives } from './routes/list-archives.ts'
import { listEventDeliveries } from './routes/list-event-deliveries.ts'
import { listEventTypes } from './routes/list-event-types.ts'
import { listEvents } from './routes/list-events.ts'
import { listLog } from './routes/list-log.ts'
import { listReplays } from './routes/list-replays.ts'
import { listSubscriptions } from './routes/list-subscriptions.ts'
import { pauseSubscription } from './routes/pause-subscription.ts'
import { previewDraft } from './routes/preview-draft.ts'
import { previewSubscription } from './routes/preview-subscription.ts'
import { publishEvents } from './routes/publish-events.ts'
import { putEventType } from './routes/put-event-type.ts'
import { putWorkspace } from './routes/put-workspace.ts'
import { replayDelivery } from './routes/replay-delivery.ts'
import { replayEvent } from './routes/replay-event.ts'
import { replaySubscription } from './routes/replay-subscription.ts'
import { restoreArchive } from './routes/restore-archive.ts'
import { resumeSubscription } from './routes/resume-subscription.ts'
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
