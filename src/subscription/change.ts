import { maskUrl } from '../base/secret/mask-url.ts'
import type { Vault } from '../base/secret/vault.ts'
import { type DestinationAuth, hasMask, keepMasked } from '../destination/auth.ts'
import { isListenerAddress } from '../destination/listener-address.ts'
import { openAuth, openHeaders, sealHeaders } from '../destination/sealed.ts'
import { rulesWithin } from '../destination/url.ts'
import type { Problem } from '../model/errors.ts'
import { findAddressProblems, type Invalid } from './checks/address-problems.ts'
import {
  findBatchedOutputs,
  findCollisions,
  findProblems,
  findProfileProblems,
  findSecretWarnings,
  findWarnings,
} from './checks/check.ts'
import { type DraftDeps, newSecret } from './draft.ts'
import type { UpdateSubscription } from './input.ts'
import { keptReason, type State, stateOf } from './ownership/ownership.ts'
import { openMaskedHeaders } from './secrets/masked-headers.ts'
import { findMovedCredentials } from './secrets/moved.ts'
import { renewSeal, rotateParts, sealParts } from './secrets/seal.ts'
import { mergeSettings, type SubscriptionSettings, selectSame } from './settings.ts'
import type { Subscription } from './subscription.ts'
import { findNamedSubscription, findSubscription, updateSubscription } from './subscriptions.sql.ts'
import type { SwitchDeps } from './switches/switches.ts'

export type SubscribeDeps = DraftDeps & {
  db: D1Database
  /** A key that nothing else has. */
  newKey: () => string
}
export type ChangeDeps = SubscribeDeps & SwitchDeps

/** How a caller names a subscription: `id` is its generated id or its `uid`. */
export type SubscriptionKey = { workspaceId: string; id: string }

/**
 * Rounds after which a change gives up that others keep coming before: in each round one of them is made, so that
 * fewer changes at once are all made. Each costs up to six of the 1,000 queries of an invocation.
 */
const UPDATE_ROUNDS_MAX = 100

export type NotChanged = { kind: 'not_found' } | { kind: 'contended' } | Invalid
export type Changed =
  | { kind: 'changed'; subscription: Subscription; before: Subscription; warnings: Problem[] }
  | NotChanged

/** Changes the settings that are named, and no other. */
export async function changeSubscription(
  deps: ChangeDeps,
  key: SubscriptionKey,
  change: UpdateSubscription,
): Promise<Changed> {
  for (let round = 0; round < UPDATE_ROUNDS_MAX; round++) {
    const current = await findChangeable(deps, key)
    if (current === null) return { kind: 'not_found' }
    const next = await applyChange(deps, current, change)
    if (next.kind === 'invalid') return next
    const subscription = await write(deps, current, next)
    if (subscription === null) continue
    if (isToBeVerified(current, next, change)) deps.background(deps.hints.verify(subscription.no))
    // Deliveries that wait may leave sooner by the new settings, or at all.
    if (subscription.pacingLevel !== 'none') deps.background(deps.hints.paced([{ no: subscription.no }]))
    const { settings } = next
    const warnings = [
      ...findSecretWarnings(change.secret, settings),
      ...(await findWarnings(deps.db, { ...subscription, settings })),
    ]
    return { kind: 'changed', subscription, before: current, warnings }
  }
  return { kind: 'contended' }
}

export type Rotated =
  | { kind: 'rotated'; subscription: Subscription; secret: string; warnings: Problem[] }
  | NotChanged

/** Gives a subscription a new secret; the one before stays valid for a while. */
export async function rotateSecret(
  deps: SubscribeDeps,
  key: SubscriptionKey,
  rotation: { secret: string | undefined; overlapSeconds: number },
): Promise<Rotated> {
  const secret = rotation.secret ?? newSecret()
  for (let round = 0; round < UPDATE_ROUNDS_MAX; round++) {
    const current = await findChangeable(deps, key)
    if (current === null) return { kind: 'not_found' }
    const { custom } = current.settings
    const problems = await findProblems(deps.destinations, { url: undefined, secret, auth: null, custom })
    if (problems.length > 0) return { kind: 'invalid', problems }
    const overlapUntilMs = deps.now() + rotation.overlapSeconds * 1000
    const sealed = await rotateParts(deps.vault, current, { secret, overlapUntilMs })
    const settings = await renewHeaders(deps.vault, current)
    const state = { active: current.active, disabledReason: keptReason(current) }
    const subscription = await write(deps, current, { ...state, settings, sealed })
    const warnings = findSecretWarnings(rotation.secret, settings)
    if (subscription !== null) return { kind: 'rotated', subscription, secret, warnings }
  }
  return { kind: 'contended' }
}

async function findChangeable(
  { db }: SubscribeDeps,
  { workspaceId, id }: SubscriptionKey,
): Promise<Subscription | null> {
  const found = await findNamedSubscription(db, workspaceId, id)
  return found === null || found.deletedAtMs !== null || found.kind !== 'subscription' ? null : found
}

type Changeable = State & Pick<Subscription, 'settings' | 'sealed'>

/** The subscription after a change, checked as a whole. */
async function applyChange(
  { db, vault, destinations }: SubscribeDeps,
  current: Subscription,
  given: UpdateSubscription,
): Promise<({ kind: 'next' } & Changeable) | Invalid> {
  const rules = rulesWithin(destinations, current.destinations)
  const change = keepMaskedUrl(given, current)
  const { headers, problems: masked } = await openMaskedHeaders(vault, current, change)
  const headersCipher = await sealHeaders(vault, current, headers)
  const settings = mergeSettings(await renewHeaders(vault, current), change, headersCipher)
  const kept = keepMasked(change.auth ?? null, await openMaskedAuth(vault, current, change.auth))
  if (!kept.ok) return { kind: 'invalid', problems: kept.problems }
  const checked = {
    url: change.url,
    secret: change.secret ?? (await openSecretToCheck(vault, current, settings)),
    auth: kept.auth,
    custom: settings.custom,
  }
  const problems = [
    ...findUidProblem(current, change),
    ...findListenerProblem(current, change),
    ...(await findProblems(rules, checked)),
    ...masked,
    ...(await findMovedCredentials(vault, current, change)),
    ...findProfileProblems(settings),
    ...findCollisions(settings, { headers, auth: kept.auth }),
    ...findBatchedOutputs(settings, headers ?? (await openBatchedHeaders(vault, current, change))),
  ]
  if (problems.length > 0) return { kind: 'invalid', problems }
  const isMoved = change.url !== undefined || change.destinationIps !== undefined
  const refused = await findAddressProblems(rules, {
    url: isMoved ? settings.url : undefined,
    destinationIps: settings.destinationIps,
    auth: kept.auth,
  })
  if (refused !== null) return refused
  const parts = {
    secret: change.secret,
    auth: change.auth === undefined ? undefined : kept.auth,
    asymmetric: change.asymmetric,
  }
  const sealed = await sealParts(vault, { owner: current, sealed: sealedUnder(current, settings) }, parts)
  const wantsActive = change.active ?? (current.active || keptReason(current) !== null)
  const state = await stateOf(db, current, { settings, wantsActive })
  return { kind: 'next', ...state, settings, sealed }
}

async function write(
  { db, now }: SubscribeDeps,
  current: Subscription,
  { settings, sealed, ...state }: Changeable,
): Promise<Subscription | null> {
  const matchingChanged = state.active !== current.active || !selectSame(settings, current.settings)
  const next = { ...state, settings, sealed, matchingChanged, nowMs: now() }
  if (!(await updateSubscription(db, current, next))) return null
  // Read again, since the statement that writes decides what the change resets, such as the breaker.
  return await findSubscription(db, current.workspaceId, current.id)
}

/** A host is challenged by itself once: when a subscription begins to wait for it. */
function isToBeVerified(before: Subscription, next: State, { url }: UpdateSubscription): boolean {
  return next.disabledReason !== null && (keptReason(before) === null || url !== undefined)
}

/** A change without a `url` that is what answers show of the stored one. */
function keepMaskedUrl(
  { url, ...others }: UpdateSubscription,
  { settings }: Subscription,
): UpdateSubscription {
  return url === undefined || url === maskUrl(settings.url) ? others : { ...others, url }
}

/** The settings, their headers sealed as new ones are. */
async function renewHeaders(vault: Vault, current: Subscription): Promise<SubscriptionSettings> {
  const { settings } = current
  const place = { owner: current, field: 'headers' }
  return { ...settings, headersCipher: await renewSeal(vault, place, settings.headersCipher) }
}

/** The stored secret, where a change asks more of it than it was checked for. */
async function openSecretToCheck(
  vault: Vault,
  subscription: Subscription,
  settings: SubscriptionSettings,
): Promise<string | undefined> {
  const { sealed, settings: before } = subscription
  if (keyFormOf(settings) === keyFormOf(before) || sealed.secretCipher === null) return undefined
  return await vault.open(sealed.secretCipher, subscription, 'secret')
}

/** The stored parts. A previous secret was checked for the form keys had then, and is dropped with it. */
function sealedUnder(
  { sealed, settings: before }: Subscription,
  settings: SubscriptionSettings,
): Subscription['sealed'] {
  return keyFormOf(settings) === keyFormOf(before)
    ? sealed
    : { ...sealed, previousSecretCipher: null, previousSecretUntilMs: null }
}

function keyFormOf({ custom }: SubscriptionSettings): string {
  return custom?.signature.key ?? 'text'
}

/** The stored credentials, opened only where a change of them may name masked ones. */
async function openMaskedAuth(
  vault: Vault,
  subscription: Subscription,
  change: DestinationAuth | null | undefined,
): Promise<DestinationAuth | null> {
  const { authCipher } = subscription.sealed
  if (change === undefined || change === null || authCipher === null) return null
  return hasMask(change) ? await openAuth(vault, subscription, authCipher) : null
}

/** The stored headers, opened only where a change may send them with batches. */
async function openBatchedHeaders(
  vault: Vault,
  subscription: Subscription,
  { batchSettings }: UpdateSubscription,
): Promise<Record<string, string> | undefined> {
  const { headersCipher } = subscription.settings
  if (!batchSettings || headersCipher === null) return undefined
  return await openHeaders(vault, subscription, headersCipher)
}

/** A uid stays what it was, so that it goes on naming the same subscription. */
function findUidProblem(current: Subscription, { uid }: UpdateSubscription): Problem[] {
  if (uid === undefined || uid === current.uid) return []
  const kept = current.uid === null ? 'this subscription was created without one' : `it is "${current.uid}"`
  return [{ path: 'uid', message: `is set at creation and stays: ${kept}` }]
}

/** A temporary subscription ends with its listener, and is no one else's before. */
function findListenerProblem({ settings }: Subscription, { url }: UpdateSubscription): Problem[] {
  if (url === undefined || !isListenerAddress(settings.url)) return []
  return [{ path: 'url', message: 'is a listener’s, and stays: create a subscription for another address' }]
}
