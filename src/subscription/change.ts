import { MASK } from '../base/secret/redaction.ts'
import type { Vault } from '../base/secret/vault.ts'
import { catalogueOf } from '../catalogue/event-types.sql.ts'
import type { DestinationAuth } from '../destination/auth.ts'
import { keepMasked, secretsOf } from '../destination/auth.ts'
import { openAuth, sealHeaders } from '../destination/sealed.ts'
import { ruleWarnings } from '../match/lint/warnings.ts'
import { ensureWorkspace, findWorkspaceNo } from '../workspace/workspaces.sql.ts'
import { collisions, type Problem, problemsOf, profileProblems } from './check.ts'
import { type DraftDeps, draftSubscription, type Invalid, newSecret } from './draft.ts'
import type { CreateSubscription, UpdateSubscription } from './input.ts'
import { rotateParts, sealParts } from './seal.ts'
import { mergeSettings, type SubscriptionSettings, selectSame } from './settings.ts'
import type { Subscription } from './subscription.ts'
import { findSubscription, insertSubscription, updateSubscription } from './subscriptions.sql.ts'
import type { SwitchDeps } from './switches.ts'

export type SubscribeDeps = DraftDeps & { db: D1Database }
export type ChangeDeps = SubscribeDeps & SwitchDeps

/** Creates a subscription; it takes effect for the next publish on any isolate. The secret is in the answer, once. */
export async function createSubscription(
  deps: SubscribeDeps,
  workspaceId: string,
  input: CreateSubscription,
): Promise<{ kind: 'created'; subscription: Subscription; secret: string; warnings: Problem[] } | Invalid> {
  const drafted = await draftSubscription(deps, workspaceId, input)
  if (drafted.kind === 'invalid') return drafted
  const { secret } = drafted
  const { id, active, settings, sealed, createdAtMs } = drafted.subscription
  const workspaceNo = await workspaceNoOf(deps, workspaceId, createdAtMs)
  await insertSubscription(deps.db, { workspaceNo, id, active, settings, sealed }, createdAtMs)
  const subscription = await findSubscription(deps.db, workspaceId, id)
  if (subscription === null) throw new Error('a subscription vanished after its creation')
  return { kind: 'created', subscription, secret, warnings: await warningsOf(deps, workspaceId, settings) }
}

/** How often a change is tried afresh when another one came between. */
const UPDATE_ROUNDS_MAX = 5

/** What a change came to. */
export type Changed =
  | { kind: 'changed'; subscription: Subscription; warnings: Problem[] }
  | { kind: 'not_found' }
  | { kind: 'contended' }
  | Invalid

/** Changes what is named and leaves the rest (seed 002's example of `PUT`). */
export async function changeSubscription(
  deps: ChangeDeps,
  workspaceId: string,
  id: string,
  change: UpdateSubscription,
): Promise<Changed> {
  for (let round = 0; round < UPDATE_ROUNDS_MAX; round++) {
    const current = await changeable(deps, workspaceId, id)
    if (current === null) return { kind: 'not_found' }
    const next = await nextOf(deps, current, change)
    if (next.kind === 'invalid') return next
    const subscription = await write(deps, current, next)
    if (subscription === null) continue
    // Deliveries that wait may leave sooner by the new settings, or at all.
    if (subscription.pacingLevel !== 'none') deps.background(deps.hints.paced([{ no: subscription.no }]))
    const warnings = await warningsOf(deps, workspaceId, next.settings)
    return { kind: 'changed', subscription, warnings }
  }
  return { kind: 'contended' }
}

/** What a subscription becomes by a change, checked as a whole. */
async function nextOf(
  deps: SubscribeDeps,
  current: Subscription,
  change: UpdateSubscription,
): Promise<({ kind: 'next' } & Pick<Subscription, 'active' | 'settings' | 'sealed'>) | Invalid> {
  const { vault } = deps
  const { id } = current
  const settings = mergeSettings(current.settings, change, await sealHeaders(vault, id, change.headers))
  const kept = keepMasked(change.auth ?? null, await storedAuth(vault, current, change.auth))
  if (!kept.ok) return { kind: 'invalid', problems: kept.problems }
  const checked = {
    url: change.url,
    secret: change.secret ?? (await secretToCheck(vault, current, settings)),
    auth: kept.auth,
    custom: settings.custom,
  }
  const problems = [
    ...(await problemsOf(deps.destinations, checked)),
    ...profileProblems(settings),
    ...collisions(settings, { headers: change.headers, auth: kept.auth }),
  ]
  if (problems.length > 0) return { kind: 'invalid', problems }
  const sameKeyForm = keyFormOf(settings) === keyFormOf(current.settings)
  const sealed = await sealParts(vault, id, sameKeyForm ? current.sealed : withoutPrevious(current), {
    secret: change.secret,
    auth: change.auth === undefined ? undefined : kept.auth,
    asymmetric: change.asymmetric,
  })
  return { kind: 'next', active: change.active ?? current.active, settings, sealed }
}

async function changeable(
  { db }: SubscribeDeps,
  workspaceId: string,
  id: string,
): Promise<Subscription | null> {
  const found = await findSubscription(db, workspaceId, id)
  return found === null || found.deletedAtMs !== null || found.kind !== 'subscription' ? null : found
}

/** Gives a subscription a new secret; the one before stays valid for a while, see design section 4. */
export async function rotateSecret(
  deps: SubscribeDeps,
  workspaceId: string,
  id: string,
  rotation: { secret: string | undefined; overlapSeconds: number },
): Promise<
  | { kind: 'rotated'; subscription: Subscription; secret: string }
  | { kind: 'not_found' }
  | { kind: 'contended' }
  | Invalid
> {
  const secret = rotation.secret ?? newSecret()
  for (let round = 0; round < UPDATE_ROUNDS_MAX; round++) {
    const current = await changeable(deps, workspaceId, id)
    if (current === null) return { kind: 'not_found' }
    const { custom } = current.settings
    const problems = await problemsOf(deps.destinations, { url: undefined, secret, auth: null, custom })
    if (problems.length > 0) return { kind: 'invalid', problems }
    const overlapUntilMs = deps.now() + rotation.overlapSeconds * 1000
    const sealed = await rotateParts(deps.vault, current, secret, overlapUntilMs)
    const changed = await write(deps, current, { ...current, sealed })
    if (changed !== null) return { kind: 'rotated', subscription: changed, secret }
  }
  return { kind: 'contended' }
}

async function write(
  deps: SubscribeDeps,
  current: Subscription,
  { active, settings, sealed }: Pick<Subscription, 'active' | 'settings' | 'sealed'>,
): Promise<Subscription | null> {
  const matchingChanged = active !== current.active || !selectSame(settings, current.settings)
  const nowMs = deps.now()
  const next = { active, settings, sealed, matchingChanged }
  if (!(await updateSubscription(deps.db, current, next, nowMs))) return null
  // Read again: what the change resets, such as the breaker, is decided by the statement that writes it.
  return await findSubscription(deps.db, current.workspaceId, current.id)
}

/** The stored secret, where a change asks more of it than it was checked for. */
async function secretToCheck(
  vault: Vault,
  { id, sealed, settings: before }: Subscription,
  settings: SubscriptionSettings,
): Promise<string | undefined> {
  if (keyFormOf(settings) === keyFormOf(before) || sealed.secretCipher === null) return undefined
  return await vault.open(sealed.secretCipher, id)
}

function keyFormOf({ custom }: SubscriptionSettings): string {
  return custom?.signature.key ?? 'text'
}

/** A previous secret was checked for the form that keys had then: with another one it may be none. */
function withoutPrevious({ sealed }: Subscription): Subscription['sealed'] {
  return { ...sealed, previousSecretCipher: null, previousSecretUntilMs: null }
}

/** The stored credentials, opened only where a change of them may name masked ones. */
async function storedAuth(
  vault: Vault,
  { id, sealed }: Subscription,
  change: DestinationAuth | null | undefined,
): Promise<DestinationAuth | null> {
  if (
    change === undefined ||
    change === null ||
    sealed.authCipher === null ||
    !secretsOf(change).includes(MASK)
  )
    return null
  return await openAuth(vault, id, sealed.authCipher)
}

/** What about a subscription's rules will surprise: those that can never hold for one of its event types. */
async function warningsOf(
  deps: Pick<SubscribeDeps, 'db'>,
  workspaceId: string,
  { rules, events }: SubscriptionSettings,
): Promise<Problem[]> {
  if (rules === null) return []
  return ruleWarnings(rules, events, await catalogueOf(deps.db, workspaceId, events))
}

async function workspaceNoOf(deps: SubscribeDeps, workspaceId: string, nowMs: number): Promise<number> {
  await ensureWorkspace(deps.db, workspaceId, nowMs)
  const workspaceNo = await findWorkspaceNo(deps.db, workspaceId)
  if (workspaceNo === null) throw new Error('a workspace vanished after its creation')
  return workspaceNo
}
