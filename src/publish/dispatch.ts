import { sha256 } from '../base/secret/digest.ts'
import { enforce } from '../catalogue/catalogue.ts'
import type { WorkspaceDestinations } from '../destination/rules.ts'
import { rulesWithin } from '../destination/url.ts'
import { type LoggedDelivery, unrecorded } from '../history/delivery-log.sql.ts'
import type { Problem } from '../model/errors.ts'
import { type DraftEvent, draftBody, type EventDefaults } from '../model/event.ts'
import { findAddressProblems, type Invalid } from '../subscription/checks/address-problems.ts'
import { findProblems } from '../subscription/checks/check.ts'
import { type DraftDeps, draftSubscription } from '../subscription/draft.ts'
import type { CreateSubscription } from '../subscription/input.ts'
import { isUnverified, UNVERIFIED } from '../subscription/ownership/ownership.ts'
import type { Subscription } from '../subscription/subscription.ts'
import { ensureDispatchTarget, findSubscription } from '../subscription/subscriptions.sql.ts'
import { ensureWorkspace, findWorkspaceNo } from '../workspace/workspaces.sql.ts'
import { type LimitedOutcome, limitedOutcome } from './admission/admit-events.ts'
import type { CompiledConfiguration } from './configuration-cache.ts'
import { isReservedId } from './prepared-event.ts'
import {
  awaitOutcome,
  commitTargetedEvent,
  type TargetedEvent,
  type TargetedEventDeps,
} from './targeted-event.ts'

type DispatchDeps = TargetedEventDeps & DraftDeps

type Target = CreateSubscription & { secret: string }

/** The workspace that dispatches, and its rules. */
type Owner = { workspaceId: string; destinations: WorkspaceDestinations }

/** An event and its target; `wait` asks for the receiver's answer to the one attempt. */
type Dispatch = { target: Target; draft: DraftEvent; wait: boolean }

export type Dispatched =
  | {
      kind: 'dispatched' | 'duplicate'
      delivery: LoggedDelivery
      subscription: Subscription
      warnings: string[]
    }
  | { kind: 'not_in_catalogue'; details: Problem[] }
  | { kind: 'conflict' }
  | { kind: 'own_id_reserved' }
  | LimitedOutcome
  | Invalid

/** One attempt for a caller that waits for it and can decide about another. */
const ONE_ATTEMPT = { maxRetries: 0 }

/**
 * Sends an event to a URL without a subscription: signed, retried and logged as any delivery. A
 * caller that waits gets the answer to one attempt; otherwise the policy retries. The target is
 * kept like a subscription that no event matches, one for all dispatches that are alike.
 */
export async function dispatch(
  deps: DispatchDeps,
  workspaceId: string,
  request: Dispatch,
): Promise<Dispatched> {
  const configuration = await deps.configurations.refresh(deps.db, workspaceId, deps.now())
  const admission = deps.admit(configuration, 1)
  let dispatched: Dispatched | null = limitedOutcome(admission, request.draft, 0)
  try {
    dispatched ??= await dispatchAdmitted(deps, { workspaceId, ...configuration }, request)
    return dispatched
  } finally {
    admission?.settle(dispatched?.kind === 'dispatched' ? 1 : 0)
  }
}

async function dispatchAdmitted(
  deps: DispatchDeps,
  { workspaceId, catalogue, settings }: CompiledConfiguration & { workspaceId: string },
  { target: given, draft, wait }: Dispatch,
): Promise<Dispatched> {
  const checked = enforce({ catalogue, settings }, { type: draft.type, data: draft.data.value })
  if (checked.kind === 'rejected') return { kind: 'not_in_catalogue', details: checked.details }
  const owner = { workspaceId, destinations: settings }
  const target = wait ? { ...given, retryPolicy: ONE_ATTEMPT } : given
  const ensured = await ensureTarget(deps, owner, target)
  if (ensured.kind === 'invalid') return ensured
  const { subscription } = ensured
  if (await isUnverified(deps.db, owner, target.url)) return { kind: 'invalid', problems: [UNVERIFIED] }
  if (isReservedId(draft.ownId, subscription.workspaceNo)) return { kind: 'own_id_reserved' }
  const event = await toEvent(draft, settings, subscription.id)
  const findSubscriptionNo = () => findTargetNo(deps, owner, target)
  const committed = await commitTargetedEvent(deps, workspaceId, { ...event, findSubscriptionNo })
  if (committed.kind === 'exists' && committed.hash !== event.hash) return { kind: 'conflict' }
  const { seq, subscriptionNo } = committed
  const sent = { ...event, seq }
  const found = { ...subscription, no: subscriptionNo }
  return {
    kind: committed.kind === 'inserted' ? 'dispatched' : 'duplicate',
    delivery: wait ? await awaitOutcome(deps, found, sent) : pendingDelivery(found, sent, deps.now()),
    subscription: found,
    warnings: checked.kind === 'warned' ? checked.warnings : [],
  }
}

type DispatchedEvent = Omit<TargetedEvent, 'findSubscriptionNo'>

async function toEvent(
  draft: DraftEvent,
  defaults: EventDefaults,
  targetId: string,
): Promise<DispatchedEvent> {
  const { type, ownId, deliverAtMs, expiresAfterSeconds } = draft
  return {
    type,
    ownId,
    isTest: false,
    isDispatch: true,
    deliverAtMs,
    expiresAfterSeconds,
    keys: ownId === null ? [] : [`i:${ownId}`],
    hash: ownId === null ? null : await sha256(`${targetId}\n${draft.content}`),
    bodyText: draftBody(draft, defaults),
  }
}

function pendingDelivery(
  { no, workspaceNo }: Subscription,
  { seq, type, ownId, deliverAtMs = null }: DispatchedEvent & { seq: number },
  acceptedAtMs: number,
): LoggedDelivery {
  return unrecorded({ workspaceNo, seq, type, ownId, acceptedAtMs, deliverAtMs, isTest: false }, no)
}

/** Finds the target again: while idle it may be purged at any time, and then it is made anew. */
async function findTargetNo(deps: DispatchDeps, owner: Owner, target: Target): Promise<number> {
  const ensured = await ensureTarget(deps, owner, target)
  if (ensured.kind === 'invalid') throw new Error('a target that was valid is not any more')
  return ensured.subscription.no
}

/**
 * Finds or makes the target. The id is made of its settings under the relay's key, so it reveals
 * none.
 */
async function ensureTarget(
  deps: DispatchDeps,
  { workspaceId, destinations }: Owner,
  target: Target,
): Promise<{ kind: 'ready'; subscription: Subscription } | Invalid> {
  const text = JSON.stringify([workspaceId, target])
  const id = `dispatch_${await deps.vault.fingerprint(text)}`
  const known =
    (await findSubscription(deps.db, workspaceId, id)) ?? (await findOlder(deps, workspaceId, text))
  if (known !== null) return await stillAllowed(deps, known, target)
  const drafted = await draftSubscription(deps, { workspaceId, id, destinations }, target)
  if (drafted.kind === 'invalid') return drafted
  const nowMs = deps.now()
  await ensureWorkspace(deps.db, workspaceId, nowMs)
  const workspaceNo = await findWorkspaceNo(deps.db, workspaceId)
  if (workspaceNo === null) throw new Error('a workspace vanished after its creation')
  const row = { ...drafted.subscription, workspaceNo, disabledReason: null }
  await ensureDispatchTarget(deps.db, row, nowMs)
  const made = await findSubscription(deps.db, workspaceId, id)
  if (made === null) throw new Error("a dispatch's target vanished after its creation")
  return { kind: 'ready', subscription: made }
}

/** Finds the target that was made under the key before: as long as that is given, its dispatches are known by it. */
async function findOlder(
  { db, vault }: DispatchDeps,
  workspaceId: string,
  text: string,
): Promise<Subscription | null> {
  const fingerprint = await vault.previousFingerprint(text)
  return fingerprint === null ? null : await findSubscription(db, workspaceId, `dispatch_${fingerprint}`)
}

/** A known target, unless the rules for destinations have changed since it was made. */
async function stillAllowed(
  { destinations }: DispatchDeps,
  subscription: Subscription,
  { url, auth = null }: Target,
): Promise<{ kind: 'ready'; subscription: Subscription } | Invalid> {
  const rules = rulesWithin(destinations, subscription.destinations)
  const problems = await findProblems(rules, { url, secret: undefined, auth, custom: null })
  if (problems.length > 0) return { kind: 'invalid', problems }
  const refused = await findAddressProblems(rules, { url, destinationIps: null, auth })
  return refused ?? { kind: 'ready', subscription }
}
