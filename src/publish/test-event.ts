import { iso } from '../base/time.ts'
import type { LoggedDelivery } from '../history/delivery-log.sql.ts'
import { bodyText } from '../model/event.ts'
import { sampleData, sampleType } from '../subscription/sample.ts'
import type { Subscription } from '../subscription/subscription.ts'
import { findWorkspaceSettings } from '../workspace/settings.sql.ts'
import { awaitOutcome, commitTargetedEvent, type TargetedEventDeps } from './targeted-event.ts'

/** A test event's type and data, as JSON text; a sample stands in for each that is left out. */
export type TestEvent = { type?: string | undefined; dataText?: string | undefined }

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
  const dataText = test.dataText ?? (await sampleData(deps.db, workspaceId, type))
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
