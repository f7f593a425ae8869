import { bodyText, INLINE_BODY_CHARS_MAX } from '../domain/event.ts'
import type { Subscription } from '../domain/subscription.ts'
import { putBody } from '../storage/bodies.ts'
import { findRows, type LoggedDelivery, unrecorded } from '../storage/delivery-log.ts'
import type { NewEvent } from '../storage/event-insert.ts'
import { commitClock, MATCH_ROUNDS_MAX, type PublishDeps } from './publish.ts'

/** How often the log is asked for the outcome, and how much longer than the receiver's own time it may take. */
const POLL_MS = 50
const PATIENCE_MS = 10_000

/**
 * Publishes a test event, its data as JSON text, to one subscription, disabled or not, and waits for what its receiver
 * says. It goes the way of every event: from a request's own context the platform would show the receiver the caller's
 * address. Still `pending` when the answer takes longer than the receiver's time and ten seconds more.
 */
export async function sendTestEvent(
  deps: PublishDeps & { sleep: (ms: number) => Promise<void> },
  workspaceId: string,
  subscription: Subscription,
  test: { type: string; dataText: string },
): Promise<LoggedDelivery> {
  const startedAtMs = deps.now()
  const timestamp = new Date(startedAtMs).toISOString()
  const body = bodyText({
    timestamp,
    livemode: false,
    apiVersion: 'v1',
    data: test.dataText,
    context: '{}',
  })
  const event: NewEvent = {
    type: test.type,
    ownId: null,
    fanout: [subscription.no],
    ...(await placeBody(deps, body)),
    isTest: true,
    keys: [],
    hash: null,
  }
  const committing = commit(deps, workspaceId, event)
  // It may lead the commits of others, who would wait in vain if the platform ended it with its caller's request.
  deps.background(committing.catch(() => undefined))
  const seq = await committing
  const { workspaceNo } = subscription
  const giveUpAtMs = startedAtMs + subscription.settings.timeoutSeconds * 1000 + PATIENCE_MS
  while (deps.now() < giveUpAtMs) {
    const [row] = await findRows(deps.db, { workspaceNo, seq }, [subscription.no])
    if (row !== undefined && row.state !== 'pending') return row
    await deps.sleep(POLL_MS)
  }
  const { type, ownId, isTest } = event
  return unrecorded({ workspaceNo, seq, type, ownId, acceptedAtMs: startedAtMs, isTest }, subscription.no)
}

/** Large texts rest in R2, as they do for published events. */
async function placeBody(deps: PublishDeps, text: string): Promise<Pick<NewEvent, 'body' | 'bodyKey'>> {
  if (text.length <= INLINE_BODY_CHARS_MAX) return { body: text, bodyKey: null }
  const bodyKey = deps.newKey()
  await putBody(deps.bodies, bodyKey, text)
  return { body: null, bodyKey }
}

async function commit(deps: PublishDeps, workspaceId: string, event: NewEvent): Promise<number> {
  for (let round = 0; round < MATCH_ROUNDS_MAX; round++) {
    const { no: workspaceNo, configVersion } = await deps.configurations.refresh(
      deps.db,
      workspaceId,
      deps.now(),
    )
    const clock = commitClock(deps.now)
    const entry = { workspaceNo, configVersion, events: [event] }
    const result = await deps.commits.commit(
      entry,
      { db: deps.db, clock, onCommitted: deps.onCommitted },
      deps.now(),
    )
    const [inserted] = result.kind === 'committed' ? result.results : []
    if (inserted?.kind === 'inserted') return inserted.seq
  }
  throw new Error('the configuration kept changing under a test event')
}
