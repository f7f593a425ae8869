import { decodePublicId } from '../base/ids/public-id.ts'
import { findRows, type LoggedDelivery, unrecorded } from '../history/delivery-log.sql.ts'
import { findEventByOwnId, findEventBySeq, type LoggedEvent } from '../history/event-log.sql.ts'
import { notFound, RelayError } from '../model/errors.ts'
import { isReplayOf } from '../replay/replay.ts'
import { findReplay, type Replay } from '../replay/replays.sql.ts'
import { boundSubscriptionNos } from '../subscription/bound.sql.ts'
import type { Subscription } from '../subscription/subscription.ts'
import { findNamedSubscription, findSubscriptionByNo } from '../subscription/subscriptions.sql.ts'
import { findWorkspaceNo } from '../workspace/workspaces.sql.ts'
import type { ApiDeps } from './context.ts'

type Finding = Pick<ApiDeps, 'db' | 'reach'>

/** A subscription that exists in the workspace, by its id or uid, and has not been deleted; 404 otherwise. */
export async function findLiveSubscription(
  deps: Finding,
  workspaceId: string,
  id: string,
): Promise<Subscription> {
  const subscription = await findAnySubscription(deps, workspaceId, id)
  if (subscription.deletedAtMs !== null) throw notFound('subscription')
  return subscription
}

/** A subscription of the workspace, deleted ones included: their log stays readable. */
export async function findAnySubscription(
  { db, reach }: Finding,
  workspaceId: string,
  id: string,
): Promise<Subscription> {
  const subscription = await findNamedSubscription(db, workspaceId, id)
  if (subscription === null || subscription.kind !== 'subscription') throw notFound('subscription')
  if (!reach.includes(subscription.settings.metadata)) throw notFound('subscription')
  return subscription
}

/**
 * An event of the workspace by the publisher's own id or the generated one; 404 otherwise. A caller who is bound finds
 * those that a subscription of theirs has wanted or been given, with no other one in the fan-out.
 */
export async function findAnyEvent(deps: Finding, workspaceId: string, id: string): Promise<LoggedEvent> {
  const { db, reach } = deps
  const event = await findEvent(db, workspaceId, id)
  const ownNos = await boundSubscriptionNos(db, workspaceId, reach.binding)
  if (ownNos === null) return event
  const own = new Set(ownNos)
  const fanout = event.fanout.filter((no) => own.has(Math.abs(no)))
  if (fanout.length === 0 && (await findRows(db, event, ownNos)).length === 0) throw notFound('event')
  return { ...event, fanout }
}

async function findEvent(db: D1Database, workspaceId: string, id: string): Promise<LoggedEvent> {
  const own = await findEventByOwnId(db, workspaceId, id)
  if (own !== null) return own
  const generated = decodePublicId('evt_', id)
  if (generated === null || generated.owner !== (await findWorkspaceNo(db, workspaceId)))
    throw notFound('event')
  const event = await findEventBySeq(db, workspaceId, generated.seq)
  if (event === null || event.ownId !== null) throw notFound('event')
  return event
}

/** A delivery of the workspace by its public id, with its subscription; 404 otherwise. */
export async function findAnyDelivery(
  { db, reach }: Finding,
  workspaceId: string,
  id: string,
): Promise<{ delivery: LoggedDelivery; subscription: Subscription }> {
  const key = decodePublicId('log_', id)
  const subscription = key === null ? null : await findSubscriptionByNo(db, workspaceId, key.owner)
  if (key === null || subscription === null) throw notFound('delivery')
  if (!reach.includes(subscription.settings.metadata)) throw notFound('delivery')
  const [row] = await findRows(db, { workspaceNo: subscription.workspaceNo, seq: key.seq }, [subscription.no])
  if (row !== undefined) return { delivery: row, subscription }
  const event = await findEventBySeq(db, workspaceId, key.seq)
  if (event === null || !event.fanout.includes(subscription.no)) throw notFound('delivery')
  return { delivery: unrecorded(event, subscription.no), subscription }
}

/** A replay of the workspace, of which the caller may see all that it is about; 404 otherwise. */
export async function findAnyReplay(
  { db, reach }: Finding,
  workspaceId: string,
  id: string,
): Promise<Replay> {
  const replay = await findReplay(db, workspaceId, id)
  const ownNos = await boundSubscriptionNos(db, workspaceId, reach.binding)
  const isOwn = replay !== null && (ownNos === null || isReplayOf(replay, ownNos))
  if (!isOwn) throw notFound('replay')
  return replay
}

/** An event of the workspace by either id, as `findAnyEvent` finds it; null where there is none. */
export async function findNamedEvent(
  deps: Finding,
  workspaceId: string,
  id: string,
): Promise<LoggedEvent | null> {
  return await nullIfMissing(findAnyEvent(deps, workspaceId, id))
}

/** The answer of a search, or null where it has found nothing. */
export async function nullIfMissing<T>(found: Promise<T>): Promise<T | null> {
  return await found.catch((error: unknown) => {
    if (error instanceof RelayError && error.code === 'not_found') return null
    throw error
  })
}
