import type { Route } from '../../define-route.ts'
import { replayDelivery } from './replay-delivery.ts'
import { replayEvent } from './replay-event.ts'
import { replaySubscription } from './replay-subscription.ts'
import { cancelReplay, getReplay, listReplays } from './replays.ts'

/** Calls that are about replays, in the order of the API document. */
export const replayRoutes: readonly Route[] = [
  replaySubscription,
  replayEvent,
  replayDelivery,
  listReplays,
  getReplay,
  cancelReplay,
]
