import type { Route } from '../../define-route.ts'
import { subscribe } from './create-subscription.ts'
import { deleteSubscription } from './delete-subscription.ts'
import { getSubscription } from './get-subscription.ts'
import { listSubscriptions } from './list-subscriptions.ts'
import { previewDraft, previewSubscription } from './preview.ts'
import { getSecret, rotateSecret } from './secrets.ts'
import {
  enableSubscription,
  flushSubscription,
  pauseSubscription,
  resumeSubscription,
  verifySubscription,
} from './switches.ts'
import { updateSubscription } from './update-subscription.ts'

/** Calls that are about subscriptions, in the order of the API document. */
export const subscriptionRoutes: readonly Route[] = [
  ...subscribe,
  previewDraft,
  listSubscriptions,
  getSubscription,
  ...updateSubscription,
  deleteSubscription,
  getSecret,
  ...enableSubscription,
  verifySubscription,
  resumeSubscription,
  flushSubscription,
  pauseSubscription,
  rotateSecret,
  previewSubscription,
]
