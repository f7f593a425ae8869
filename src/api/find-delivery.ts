import { decodePublicId } from '../base/ids/public-id.ts'
import { findRows, type LoggedDelivery, unrecorded } from '../history/delivery-log.sql.ts'
import { findEventBySeq } from '../history/event-log.sql.ts'
import { notFound } from '../model/errors.ts'
import type { Relay } from '../relay.ts'
import type { Subscription } from '../subscription/subscription.ts'
import { findSubscriptionByNo } from '../subscription/subscriptions.sql.ts'

/** A delivery of the workspace by its public id, with its subscription; 404 otherwise. */
export async function anyDelivery(
  relay: Relay,
  workspaceId: string,
  id: string,
): Promise<{ delivery: LoggedDelivery; subscription: Subscription }> {
  const { DB } = relay.env
  const key = decodePublicId('log_', id)
  const subscription = key === null ? null : await findSubscriptionByNo(DB, workspaceId, key.owner)
  if (key === null || subscription === null) throw notFound('delivery')
  const [row] = await findRows(DB, { workspaceNo: subscription.workspaceNo, seq: key.seq }, [subscription.no])
  if (row !== undefined) return { delivery: row, subscription }
  const event = await findEventBySeq(DB, workspaceId, key.seq)
  if (event === null || !event.fanout.includes(subscription.no)) throw notFound('delivery')
  return { delivery: unrecorded(event, subscription.no), subscription }
}
