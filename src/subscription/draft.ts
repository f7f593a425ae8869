import type { Vault } from '../base/secret/vault.ts'
import { keepMasked } from '../destination/auth.ts'
import type { WorkspaceDestinations } from '../destination/rules.ts'
import { sealHeaders } from '../destination/sealed.ts'
import { type DestinationRules, rulesWithin } from '../destination/url.ts'
import { pacingLevelOf } from '../pacing/settings.ts'
import { CLOSED_BREAKER } from '../receiver/breaker.ts'
import { UNSPENT_BUDGET } from '../receiver/failure-budget.ts'
import { generateSecret, SECRET_KEY_BYTES } from '../signature/secret.ts'
import { findAddressProblems, type Invalid } from './checks/address-problems.ts'
import { findBatchedOutputs, findCollisions, findProblems, findProfileProblems } from './checks/check.ts'
import type { CreateSubscription } from './input.ts'
import { SUBSCRIPTION_ID_PREFIX } from './row.ts'
import { sealParts } from './secrets/seal.ts'
import { newSettings } from './settings.ts'
import type { Subscription } from './subscription.ts'

export type DraftDeps = { vault: Vault; now: () => number; destinations: DestinationRules }

/** A subscription that has no row and has never been delivered to. */
const UNUSED = {
  no: 0,
  workspaceNo: 0,
  kind: 'subscription',
  flushUntilSeq: 0,
  streamedUntilMs: 0,
  version: 0,
  disabledReason: null,
  pausedAtMs: null,
  challenge: { atMs: null, problem: null },
  health: 'unproven',
  breaker: CLOSED_BREAKER,
  budget: UNSPENT_BUDGET,
  deletedAtMs: null,
} as const satisfies Partial<Subscription>

/** The workspace of a draft with its rules, and the id that it is to have. */
type Owner = { workspaceId: string; id: string; destinations: WorkspaceDestinations }

/** Makes a subscription as it would be created, checked as then, without writing it. */
export async function draftSubscription(
  { vault, now, destinations }: DraftDeps,
  { workspaceId, id, destinations: own }: Owner,
  input: CreateSubscription,
): Promise<{ kind: 'drafted'; subscription: Subscription; secret: string } | Invalid> {
  const rules = rulesWithin(destinations, own)
  const secret = input.secret ?? newSecret()
  const settings = newSettings(input, await sealHeaders(vault, { workspaceId, id }, input.headers))
  const kept = keepMasked(input.auth ?? null, null)
  const auth = kept.ok ? kept.auth : null
  const problems = [
    ...(kept.ok ? [] : kept.problems),
    ...(await findProblems(rules, { url: input.url, secret, auth, custom: settings.custom })),
    ...findProfileProblems(settings),
    ...findCollisions(settings, { headers: input.headers, auth }),
    ...findBatchedOutputs(settings, input.headers),
  ]
  if (problems.length > 0) return { kind: 'invalid', problems }
  const named = { url: input.url, destinationIps: settings.destinationIps, auth }
  const refused = await findAddressProblems(rules, named)
  if (refused !== null) return refused
  const nowMs = now()
  const subscription: Subscription = {
    ...UNUSED,
    workspaceId,
    id,
    uid: input.uid ?? null,
    destinations: own,
    pacingLevel: pacingLevelOf(settings),
    active: input.active ?? true,
    settings,
    sealed: await sealParts(
      vault,
      { owner: { workspaceId, id } },
      { secret, auth, asymmetric: settings.asymmetric },
    ),
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  }
  return { kind: 'drafted', subscription, secret }
}

/** A generated signing secret. */
export function newSecret(): string {
  return generateSecret(crypto.getRandomValues(new Uint8Array(SECRET_KEY_BYTES)))
}

/** The id of a new subscription, made of a key that nothing else has. */
export function newSubscriptionId(key: string): string {
  return SUBSCRIPTION_ID_PREFIX + key.replaceAll('-', '')
}
