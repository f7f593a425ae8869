import type { Tool } from '../tool.ts'
import { diagnoseSignature } from './diagnose-signature.ts'
import { explainDelivery } from './explain-delivery.ts'
import { listSubscriptions } from './list-subscriptions.ts'
import { previewSubscription } from './preview-subscription.ts'
import { getReplay, replaySubscription } from './replay-subscription.ts'
import { retryDelivery } from './retry-delivery.ts'
import { searchEvents } from './search-events.ts'

/** All tools, in the order in which they are listed. */
export const tools: readonly Tool[] = [
  searchEvents,
  explainDelivery,
  listSubscriptions,
  previewSubscription,
  retryDelivery,
  replaySubscription,
  getReplay,
  diagnoseSignature,
]
