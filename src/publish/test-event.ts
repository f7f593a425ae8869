import { iso } from '../base/time.ts'
import type { LoggedDelivery } from '../history/delivery-log.sql.ts'
import { bodyText } from '../model/event.ts'
import type { Subscription } from '../subscription/subscription.ts'
import { awaitOutcome, commitTargetedEvent, type TargetedEventDeps } from './targeted-event.ts'

/**
 * Sends a test event, whose data is JSON text, to one subscription, disabled or not, and waits for
 * the receiver's answer. It goes the way of every event: a request's own context would show the
 * receiver the caller's address.
 */
export async function sendTestEvent(
  deps: TargetedEventDeps,
  workspaceId: string,
  subscription: Subscription,
  test: { type: string; dataText: string; apiVersion: string },
): Promise<LoggedDelivery> {
  const event = { type: test.type, ownId: null, isTest: true, keys: [], hash: null }
  const text = bodyText({
    timestamp: iso(deps.now()),
    livemode: false,
    apiVersion: test.apiVersion,
    data: test.dataText,
    context: '{}',
  })
  const committed = await commitTargetedEvent(deps, workspaceId, {
    ...event,
    bodyText: text,
    findSubscriptionNo: async () => subscription.no,
  })
  return await awaitOutcome(deps, subscription, { ...event, seq: committed.seq })
}
