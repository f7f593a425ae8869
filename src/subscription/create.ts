import { openAuth, openHeaders } from '../destination/sealed.ts'
import type { Problem } from '../model/errors.ts'
import { findWorkspaceSettings, useWorkspace } from '../workspace/settings.sql.ts'
import type { ChangeDeps, SubscribeDeps } from './change.ts'
import type { Invalid } from './checks/address-problems.ts'
import { findSecretWarnings, findWarnings } from './checks/check.ts'
import { draftSubscription, newSubscriptionId } from './draft.ts'
import type { CreateSubscription } from './input.ts'
import { keptReason, stateOf } from './ownership/ownership.ts'
import { storedSettingsSchema } from './settings.ts'
import type { Subscription } from './subscription.ts'
import { findSubscription, findSubscriptionByUid, insertSubscription } from './subscriptions.sql.ts'

/** `secret` is shown in the answer to its creation only. */
export type Created = {
  kind: 'created'
  subscription: Subscription
  secret: string
  warnings: Problem[]
}

/** A live subscription has the uid: it is as the creation would have it, or `fields` of it are otherwise. */
export type Taken =
  | { kind: 'same'; subscription: Subscription }
  | { kind: 'different'; uid: string; fields: string[] }

/** The workspace has as many subscriptions as it, or the caller, may have. */
export type LimitReached = { kind: 'limit_reached'; limit: number }

/** `subscriptionsMax` is the caller's own limit of the workspace's subscriptions, beside the workspace's. */
type CreateDeps = ChangeDeps & { subscriptionsMax?: number | null }

/**
 * Creates a subscription, which takes effect for the next publish on any isolate. A `uid` makes this repeatable: what
 * has it already is answered, or what is otherwise about it.
 */
export async function createSubscription(
  deps: CreateDeps,
  workspaceId: string,
  input: CreateSubscription,
): Promise<Created | Taken | LimitReached | Invalid> {
  const { db, subscriptionsMax = null } = deps
  const destinations = await findWorkspaceSettings(db, workspaceId)
  const owner = { workspaceId, id: newSubscriptionId(deps.newKey()), destinations }
  const drafted = await draftSubscription(deps, owner, input)
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
    { nowMs: createdAtMs, max },
  )
  const subscription = await findSubscription(db, workspaceId, owner.id)
  if (subscription === null) return await explainMissing(deps, creation, max)
  if (state.disabledReason !== null) deps.background(deps.hints.verify(subscription.no))
  // A request that was cut off after its insert has left another secret than this one has made.
  const { secretCipher } = subscription.sealed
  const secret =
    secretCipher === null ? drafted.secret : await deps.vault.open(secretCipher, subscription, 'secret')
  const { settings } = subscription
  const warnings = [...findSecretWarnings(input.secret, settings), ...(await findWarnings(db, subscription))]
  return { kind: 'created', subscription, secret, warnings }
}

/** A creation, and the subscription that it would make. */
type Creation = { input: CreateSubscription; draft: Subscription }

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
  deps: SubscribeDeps,
  creation: Creation,
  max: number | null,
): Promise<Taken | LimitReached> {
  const first = await findHolder(deps.db, creation.draft)
  if (first !== null) return await compareWith(deps, first, creation)
  if (max !== null) return { kind: 'limit_reached', limit: max }
  throw new Error('a subscription vanished after its creation')
}

function lowest(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.min(one, other)
}

async function compareWith(deps: SubscribeDeps, holder: Subscription, creation: Creation): Promise<Taken> {
  const [asked, stored] = [await contentOf(deps, creation.draft), await contentOf(deps, holder)]
  const fields = Object.keys(asked).filter((name) => canonical(asked[name]) !== canonical(stored[name]))
  const others = await findOtherwise(deps, holder, creation)
  if (fields.length + others.length === 0) return { kind: 'same', subscription: holder }
  return { kind: 'different', uid: holder.uid ?? '', fields: [...fields, ...others] }
}

/** All settings of a subscription, opened, under the names that callers have for them. */
async function contentOf(
  { vault }: SubscribeDeps,
  subscription: Subscription,
): Promise<Record<string, unknown>> {
  const stored = storedSettingsSchema.parse(JSON.parse(JSON.stringify(subscription.settings)))
  const { headersCipher, rules, ...settings } = stored
  const { authCipher } = subscription.sealed
  return {
    ...settings,
    filters: rules?.filters ?? null,
    conditions: rules?.conditions ?? null,
    conditionLogic: rules?.conditionLogic ?? 'AND',
    headers: headersCipher === null ? {} : await openHeaders(vault, subscription, headersCipher),
    auth: authCipher === null ? null : await openAuth(vault, subscription, authCipher),
  }
}

/** Names what counts only where the creation names it: a secret that was generated, and the switch. */
async function findOtherwise(
  { vault }: SubscribeDeps,
  holder: Subscription,
  { input: { secret, active } }: Creation,
): Promise<string[]> {
  const { secretCipher } = holder.sealed
  const stored =
    secret === undefined || secretCipher === null ? null : await vault.open(secretCipher, holder, 'secret')
  return [
    ...(secret !== undefined && secret !== stored ? ['secret'] : []),
    ...(active !== undefined && active !== (holder.active || keptReason(holder) !== null) ? ['active'] : []),
  ]
}

/** JSON in which the order of members makes no difference. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  )
}
