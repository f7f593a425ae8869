import { findRows, type LoggedDelivery, unrecorded } from '../history/delivery-log.sql.ts'
import { INLINE_BODY_CHARS_MAX } from '../model/event.ts'
import { putBody } from '../store/bodies.ts'
import type { Subscription } from '../subscription/subscription.ts'
import type { InsertResult, NewEvent } from './event-insert.sql.ts'
import { commitClock, MATCH_ROUNDS_MAX, type PublishDeps } from './publish.ts'

/** How long after the receiver's own time to wait for an outcome, in milliseconds. */
const PATIENCE_MS = 10_000
const POLL_MS = 50

export type TargetedEventDeps = PublishDeps & { sleep: (ms: number) => Promise<void> }

/** An event for one subscription only, whatever others want. */
export type TargetedEvent = Omit<NewEvent, 'fanout' | 'body' | 'bodyKey'> & { bodyText: string }

/** The event's number, and whether it was there before (by one of its keys). */
export type TargetedCommit = InsertResult

/**
 * Commits an event that goes to one subscription, as a publish would, and so sends its hint. `numberOf` finds the
 * subscription's number anew whenever the configuration has changed under the commit.
 */
export async function commitTargetedEvent(
  deps: PublishDeps,
  workspaceId: string,
  numberOf: () => Promise<number>,
  { bodyText, ...event }: TargetedEvent,
): Promise<TargetedCommit> {
  const placed = await placeBody(deps, bodyText)
  const make = async () => ({ ...event, ...placed, fanout: [await numberOf()] })
  const committing = commit(deps, workspaceId, make)
  // It may lead the commits of others, who would wait in vain if the platform ended it with its caller's request.
  deps.background(committing.catch(() => undefined))
  return await committing
}

/**
 * Waits for what the receiver says to a committed event; `pending` when that takes longer than the receiver's time and
 * ten seconds more.
 */
export async function awaitOutcome(
  deps: TargetedEventDeps,
  subscription: Subscription,
  event: Pick<NewEvent, 'type' | 'ownId' | 'isTest'> & { seq: number },
): Promise<LoggedDelivery> {
  const startedAtMs = deps.now()
  const { workspaceNo } = subscription
  const giveUpAtMs = startedAtMs + subscription.settings.timeoutSeconds * 1000 + PATIENCE_MS
  const { seq, type, ownId, isTest } = event
  while (deps.now() < giveUpAtMs) {
    const [row] = await findRows(deps.db, { workspaceNo, seq }, [subscription.no])
    if (row !== undefined && row.state !== 'pending') return row
    await deps.sleep(POLL_MS)
  }
  return unrecorded({ workspaceNo, seq, type, ownId, acceptedAtMs: startedAtMs, isTest }, subscription.no)
}

/** Large texts rest in R2, as they do for published events. */
async function placeBody(deps: PublishDeps, text: string): Promise<Pick<NewEvent, 'body' | 'bodyKey'>> {
  if (text.length <= INLINE_BODY_CHARS_MAX) return { body: text, bodyKey: null }
  const bodyKey = deps.newKey()
  await putBody(deps.bodies, bodyKey, text)
  return { body: null, bodyKey }
}

async function commit(
  deps: PublishDeps,
  workspaceId: string,
  make: () => Promise<NewEvent>,
): Promise<TargetedCommit> {
  for (let round = 0; round < MATCH_ROUNDS_MAX; round++) {
    const { no: workspaceNo, configVersion } = await deps.configurations.refresh(
      deps.db,
      workspaceId,
      deps.now(),
    )
    const clock = commitClock(deps.now)
    const entry = { workspaceNo, configVersion, events: [await make()] }
    const result = await deps.commits.commit(
      entry,
      { db: deps.db, clock, onCommitted: deps.onCommitted },
      deps.now(),
    )
    const [inserted] = result.kind === 'committed' ? result.results : []
    if (inserted !== undefined) return inserted
  }
  throw new Error('the configuration kept changing under an event for one subscription')
}
