import { listenerAddress } from '../destination/listener-address.ts'
import type { Problem } from '../model/errors.ts'
import { findWorkspaceSettings, useWorkspace } from '../workspace/settings.sql.ts'
import type { ChangeDeps } from './change.ts'
import type { Invalid } from './checks/address-problems.ts'
import { findSecretWarnings, findWarnings } from './checks/check.ts'
import { type Creation, compareWith, type Taken } from './checks/compare.ts'
import { countTemporary } from './checks/temporary.sql.ts'
import { draftSubscription, newSubscriptionId } from './draft.ts'
import type { CreateSubscription } from './input.ts'
import { stateOf } from './ownership/ownership.ts'
import type { Subscription } from './subscription.ts'
import { findSubscription, findSubscriptionByUid, insertSubscription } from './subscriptions.sql.ts'

/** `secret` is shown in the answer to its creation only. */
export type Created = {
  kind: 'created'
  subscription: Subscription
  secret: string
  warnings: Problem[]
}

/** The workspace has as many subscriptions as it, or the caller, may have; or as many that end with their listeners. */
export type LimitReached = { kind: 'limit_reached'; limit: number; of: 'subscriptions' | 'listeners' }

/** A subscription that ends with its listener: the id that it is to have, and how many the workspace may have. */
type Temporary = { id: string; max: number }

type CreateDeps = ChangeDeps & {
  /** The caller's own limit of the workspace's subscriptions, beside the workspace's. */
  subscriptionsMax?: number | null
  /** True for a caller who may be told if a secret is the stored one. */
  maySeeSecrets: boolean
}

/**
 * Creates a subscription, which takes effect for the next publish on any isolate. A `uid` makes this repeatable: what
 * has it already is answered, or what is otherwise about it. One that is temporary has the address of its listener.
 */
export async function createSubscription(
  deps: CreateDeps,
  workspaceId: string,
  input: CreateSubscription,
  temporary: Temporary | null = null,
): Promise<Created | Taken | LimitReached | Invalid> {
  const { db, subscriptionsMax = null } = deps
  const destinations = await findWorkspaceSettings(db, workspaceId)
  const owner = { workspaceId, id: temporary?.id ?? newSubscriptionId(deps.newKey()), destinations }
  const listener = temporary === null ? null : listenerAddress(temporary.id)
  const rules = { ...deps.destinations, listener }
  const drafted = await draftSubscription({ ...deps, destinations: rules }, owner, input)
  if (drafted.kind === 'invalid') return drafted
  const creation = { input, draft: drafted.subscription }
  const holder = await findHolder(db, drafted.subscription)
  if (holder !== null) return await compareWith(deps, holder, creation)
  const { createdAtMs, settings: drawn, active: wantsActive } = drafted.subscription
  const { no: workspaceNo, settings: ofWorkspace } = await useWorkspace(db, workspaceId, createdAtMs)
  const state = await stateOf(db, drafted.subscription, { settings: drawn, wantsActive })
  const max = lowest(ofWorkspace.limits.subscriptions, subscriptionsMax)
  await insertSubscription(
    db,
    { ...drafted.subscription, ...state, workspaceNo },
    { nowMs: createdAtMs, max, temporaryMax: temporary?.max ?? null },
  )
  const subscription = await findSubscription(db, workspaceId, owner.id)
  if (subscription === null) {
    const isFull = temporary !== null && (await countTemporary(db, workspaceNo)) >= temporary.max
    if (isFull) return { kind: 'limit_reached', limit: temporary.max, of: 'listeners' }
    return await explainMissing(deps, creation, max)
  }
  if (state.disabledReason !== null) deps.background(deps.hints.verify(subscription.no))
  // A request that was cut off after its insert has left another secret than this one has made.
  const { secretCipher } = subscription.sealed
  const secret =
    secretCipher === null ? drafted.secret : await deps.vault.open(secretCipher, subscription, 'secret')
  const { settings } = subscription
  const warnings = [...findSecretWarnings(input.secret, settings), ...(await findWarnings(db, subscription))]
  return { kind: 'created', subscription, secret, warnings }
}

/** Another live subscription that has the draft's uid. */
async function findHolder(
  db: D1Database,
  { workspaceId, id, uid }: Subscription,
): Promise<Subscription | null> {
  const holder = uid === null ? null : await findSubscriptionByUid(db, workspaceId, uid)
  return holder?.id === id ? null : holder
}

/** The outcome for a creation that another one with its uid has preceded by a moment, or for which there was no place. */
async function explainMissing(
  deps: CreateDeps,
  creation: Creation,
  max: number | null,
): Promise<Taken | LimitReached> {
  const first = await findHolder(deps.db, creation.draft)
  if (first !== null) return await compareWith(deps, first, creation)
  if (max !== null) return { kind: 'limit_reached', limit: max, of: 'subscriptions' }
  throw new Error('a subscription vanished after its creation')
}

function lowest(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.min(one, other)
}
