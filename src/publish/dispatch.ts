import { enforce } from '../catalogue/catalogue.ts'
import { type LoggedDelivery, unrecorded } from '../history/delivery-log.sql.ts'
import type { Problem } from '../model/errors.ts'
import { type DraftEvent, draftBody } from '../model/event.ts'
import { type DraftDeps, draftSubscription, type Invalid } from '../subscription/draft.ts'
import type { CreateSubscription } from '../subscription/input.ts'
import type { Subscription } from '../subscription/subscription.ts'
import { ensureDispatchTarget, findSubscription } from '../subscription/subscriptions.sql.ts'
import { ensureWorkspace, findWorkspaceNo } from '../workspace/workspaces.sql.ts'
import { isReservedId } from './publish.ts'
import { awaitOutcome, commitTargetedEvent, type TargetedEventDeps } from './targeted-event.ts'

export type DispatchDeps = TargetedEventDeps & DraftDeps & { digest: (text: string) => Promise<string> }

/** What a caller dispatches: where, signed how, and what. `wait` asks for the receiver's answer to the one attempt. */
export type Dispatch = { target: CreateSubscription & { secret: string }; draft: DraftEvent; wait: boolean }

export type Dispatched =
  | { kind: 'dispatched' | 'duplicate'; delivery: LoggedDelivery; warnings: string[] }
  | { kind: 'not_in_catalogue'; details: Problem[] }
  | { kind: 'conflict' }
  | { kind: 'own_id_reserved' }
  | Invalid

/** One attempt and no more, where the caller waits for it and can decide himself. */
const ONE_ATTEMPT = { maxRetries: 0 }

/**
 * Sends an event to a URL without a subscription (seed 003): signed, retried and logged as any delivery. Whoever waits
 * gets the answer to one attempt; otherwise the retries are the policy's. The target is kept like a subscription that
 * no event matches, one for all dispatches that are alike.
 */
export async function dispatch(
  deps: DispatchDeps,
  workspaceId: string,
  { target, draft, wait }: Dispatch,
): Promise<Dispatched> {
  const { catalogue, settings } = await deps.configurations.refresh(deps.db, workspaceId, deps.now())
  const checked = enforce({ catalogue, settings }, { type: draft.type, data: draft.data.value })
  if (checked.kind === 'rejected') return { kind: 'not_in_catalogue', details: checked.details }
  const warnings = checked.kind === 'warned' ? checked.warnings : []
  const input = { ...target, ...(wait && { retryPolicy: ONE_ATTEMPT }) }
  const ensured = await ensureTarget(deps, workspaceId, input)
  if (ensured.kind === 'invalid') return ensured
  let { subscription } = ensured
  if (isReservedId(draft.ownId, subscription.workspaceNo)) return { kind: 'own_id_reserved' }
  const hasKey = draft.ownId !== null
  const event = {
    type: draft.type,
    ownId: draft.ownId,
    isTest: false,
    isDispatch: true,
    deliverAtMs: draft.deliverAtMs,
    expiresAfterSeconds: draft.expiresAfterSeconds,
    keys: draft.ownId === null ? [] : [`i:${draft.ownId}`],
    hash: hasKey ? await deps.digest(`${subscription.id}\n${draft.content}`) : null,
    bodyText: draftBody(draft, settings),
  }
  // An idle target may be purged at any time, which changes the configuration: then it is made again.
  const numberOf = async () => {
    const again = await ensureTarget(deps, workspaceId, input)
    if (again.kind === 'invalid') throw new Error('a target that was valid is not any more')
    subscription = again.subscription
    return subscription.no
  }
  const committed = await commitTargetedEvent(deps, workspaceId, numberOf, event)
  if (committed.kind === 'exists' && committed.hash !== event.hash) return { kind: 'conflict' }
  const kind = committed.kind === 'inserted' ? 'dispatched' : 'duplicate'
  const { seq } = committed
  if (wait) {
    const delivery = await awaitOutcome(deps, subscription, { ...event, seq })
    return { kind, delivery, warnings }
  }
  const { workspaceNo } = subscription
  const pending = {
    workspaceNo,
    seq,
    type: event.type,
    ownId: event.ownId,
    acceptedAtMs: deps.now(),
    isTest: false,
  }
  return { kind, delivery: unrecorded(pending, subscription.no), warnings }
}

/** Finds or makes the target. Its id is made of its settings under the relay's key, so that it says nothing of them. */
async function ensureTarget(
  deps: DispatchDeps,
  workspaceId: string,
  input: CreateSubscription & { secret: string },
): Promise<{ kind: 'ready'; subscription: Subscription } | Invalid> {
  const id = `dispatch_${await deps.vault.fingerprint(JSON.stringify([workspaceId, input]))}`
  const known = await findSubscription(deps.db, workspaceId, id)
  if (known !== null) return { kind: 'ready', subscription: known }
  const drafted = await draftSubscription(deps, { workspaceId, id }, input)
  if (drafted.kind === 'invalid') return drafted
  const nowMs = deps.now()
  await ensureWorkspace(deps.db, workspaceId, nowMs)
  const workspaceNo = await findWorkspaceNo(deps.db, workspaceId)
  if (workspaceNo === null) throw new Error('a workspace vanished after its creation')
  await ensureDispatchTarget(deps.db, { ...drafted.subscription, workspaceNo }, nowMs)
  const made = await findSubscription(deps.db, workspaceId, id)
  if (made === null) throw new Error("a dispatch's target vanished after its creation")
  return { kind: 'ready', subscription: made }
}
