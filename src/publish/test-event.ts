import { iso } from '../base/time.ts'
import type { LoggedDelivery } from '../history/delivery-log.sql.ts'
import { bodyText } from '../model/event.ts'
import { dataOfObject, sampleData, sampleType } from '../subscription/sample.ts'
import type { Subscription } from '../subscription/subscription.ts'
import { findWorkspaceSettings } from '../workspace/settings.sql.ts'
import { awaitOutcome, commitTargetedEvent, type TargetedEventDeps } from './targeted-event.ts'

/**
 * A test event's type, and its data as JSON text: all of it, or the object that it is about. A sample stands in for
 * what is left out.
 */
export type TestEvent = {
  type?: string | undefined
  dataText?: string | undefined
  objectText?: string | undefined
}

/**
 * Sends a test event to a subscription, disabled or not, and waits for the receiver's answer. It
 * goes the way of every event: a request made here would show the receiver the caller's address.
 * Still `pending` when the answer takes ten seconds more than the receiver's time.
 */
export async function sendTestEvent(
  deps: TargetedEventDeps,
  subscription: Subscription,
  test: TestEvent,
): Promise<LoggedDelivery> {
  const { no, workspaceId, settings } = subscription
  const type = sampleType(test.type, subscription)
  const given = test.objectText === undefined ? test.dataText : dataOfObject(subscription, test.objectText)
  const dataText = given ?? (await sampleData(deps.db, subscription, type))
  const { apiVersion } = await findWorkspaceSettings(deps.db, workspaceId)
  const text = bodyText({
    timestamp: iso(deps.now()),
    livemode: false,
    apiVersion: settings.apiVersion ?? apiVersion,
    data: dataText,
    context: '{}',
  })
  const event = {
    type,
    ownId: null,
    isTest: true,
    keys: [],
    hash: null,
    bodyText: text,
    findSubscriptionNo: async () => no,
  }
  const { seq } = await commitTargetedEvent(deps, workspaceId, event)
  return await awaitOutcome(deps, subscription, { ...event, seq })
}
