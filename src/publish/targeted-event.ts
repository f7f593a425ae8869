import { findRows, type LoggedDelivery, unrecorded } from '../history/delivery-log.sql.ts'
import type { Subscription } from '../subscription/subscription.ts'
import type { InsertResult, NewEvent } from './commit/event-insert.sql.ts'
import { placeBody } from './event-body.ts'
import { MATCH_ROUNDS_MAX, type PublishDeps } from './publish.ts'

/** Time to wait for an outcome after the receiver's own, in milliseconds. */
const PATIENCE_MS = 10_000
const POLL_MS = 50

export type TargetedEventDeps = PublishDeps & { sleep: (ms: number) => Promise<void> }

/** An event for one subscription only, past all others that want its type. */
export type TargetedEvent = Omit<NewEvent, 'fanout' | 'body' | 'bodyKey'> & {
  bodyText: string
  /** Called again whenever the configuration has changed under the commit. */
  findSubscriptionNo: () => Promise<number>
}

/** The event's number, and the earlier event where one of its keys names one. */
type TargetedCommit = Exclude<InsertResult, { kind: 'key_taken' }> & { subscriptionNo: number }

/** Commits an event that goes to one subscription, as a publish would, and so sends its hint. */
export async function commitTargetedEvent(
  deps: PublishDeps,
  workspaceId: string,
  targeted: TargetedEvent,
): Promise<TargetedCommit> {
  const committing = commit(deps, workspaceId, targeted)
  // The commit may lead others, which would wait in vain if it ended with its caller's request.
  deps.background(committing.catch(() => undefined))
  return await committing
}

async function commit(
  deps: PublishDeps,
  workspaceId: string,
  { bodyText, findSubscriptionNo, ...event }: TargetedEvent,
): Promise<TargetedCommit> {
  const placed = await placeBody(deps, bodyText)
  for (let round = 0; round < MATCH_ROUNDS_MAX; round++) {
    const { no, configVersion } = await deps.configurations.refresh(deps.db, workspaceId, deps.now())
    const subscriptionNo = await findSubscriptionNo()
    const events = [{ ...event, ...placed, fanout: [subscriptionNo] }]
    const result = await deps.commits.commit({ workspaceNo: no, configVersion, events }, deps)
    const [inserted] = result.kind === 'committed' ? result.results : []
    // Its keys are its own: no row of a request names it.
    if (inserted !== undefined && inserted.kind !== 'key_taken') return { ...inserted, subscriptionNo }
  }
  throw new Error('the configuration kept changing under an event for one subscription')
}

/**
 * Waits for the receiver's answer to a committed event. The delivery is still `pending` when that
 * takes longer than the receiver's time and ten seconds more.
 */
export async function awaitOutcome(
  deps: TargetedEventDeps,
  subscription: Subscription,
  event: Pick<NewEvent, 'type' | 'ownId' | 'isTest' | 'deliverAtMs'> & { seq: number },
): Promise<LoggedDelivery> {
  const startedAtMs = deps.now()
  const { workspaceNo } = subscription
  const giveUpAtMs = startedAtMs + subscription.settings.timeoutSeconds * 1000 + PATIENCE_MS
  const { seq, type, ownId, isTest, deliverAtMs = null } = event
  while (deps.now() < giveUpAtMs) {
    const [row] = await findRows(deps.db, { workspaceNo, seq }, [subscription.no])
    if (row !== undefined && row.state !== 'pending') return row
    await deps.sleep(POLL_MS)
  }
  const accepted = { acceptedAtMs: startedAtMs, deliverAtMs }
  return unrecorded({ workspaceNo, seq, type, ownId, ...accepted, isTest }, subscription.no)
}
