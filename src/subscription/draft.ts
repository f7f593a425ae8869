import type { Vault } from '../base/secret/vault.ts'
import { keepMasked } from '../destination/auth.ts'
import { sealHeaders } from '../destination/sealed.ts'
import type { DestinationRules } from '../destination/url.ts'
import { pacingLevelOf } from '../pacing/settings.ts'
import { CLOSED_BREAKER } from '../receiver/breaker.ts'
import { UNSPENT_BUDGET } from '../receiver/failure-budget.ts'
import { generateSecret, SECRET_KEY_BYTES } from '../signature/secret.ts'
import { collisions, type Problem, problemsOf, profileProblems } from './check.ts'
import type { CreateSubscription } from './input.ts'
import { sealParts } from './seal.ts'
import { newSettings } from './settings.ts'
import type { Subscription } from './subscription.ts'

export type DraftDeps = { vault: Vault; now: () => number; destinations: DestinationRules }

/** Fields that cannot be accepted, and what would be right. */
export type Invalid = { kind: 'invalid'; problems: Problem[] }

/** A subscription as it would be created, checked as then, without being written. */
export async function draftSubscription(
  deps: DraftDeps,
  workspaceId: string,
  input: CreateSubscription,
  id = newSubscriptionId(),
): Promise<{ kind: 'drafted'; subscription: Subscription; secret: string } | Invalid> {
  const secret = input.secret ?? newSecret()
  const settings = newSettings(input, await sealHeaders(deps.vault, id, input.headers))
  const kept = keepMasked(input.auth ?? null, null)
  const auth = kept.ok ? kept.auth : null
  const problems = [
    ...(kept.ok ? [] : kept.problems),
    ...(await problemsOf(deps.destinations, { url: input.url, secret, auth, custom: settings.custom })),
    ...profileProblems(settings),
    ...collisions(settings, { headers: input.headers, auth }),
  ]
  if (problems.length > 0) return { kind: 'invalid', problems }
  const nowMs = deps.now()
  const subscription: Subscription = {
    no: 0,
    workspaceNo: 0,
    workspaceId,
    id,
    kind: 'subscription',
    pacingLevel: pacingLevelOf(settings),
    flushUntilSeq: 0,
    version: 0,
    active: input.active ?? true,
    disabledReason: null,
    pausedAtMs: null,
    health: 'unproven',
    breaker: CLOSED_BREAKER,
    budget: UNSPENT_BUDGET,
    settings,
    sealed: await sealParts(deps.vault, id, null, { secret, auth, asymmetric: settings.asymmetric }),
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    deletedAtMs: null,
  }
  return { kind: 'drafted', subscription, secret }
}

/** A generated signing secret. */
export function newSecret(): string {
  return generateSecret(crypto.getRandomValues(new Uint8Array(SECRET_KEY_BYTES)))
}

function newSubscriptionId(): string {
  return `webhook_${crypto.randomUUID().replaceAll('-', '')}`
}
