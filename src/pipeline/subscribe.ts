import { checkDestination, type DestinationRules } from '../domain/destination.ts'
import {
  type CreateSubscription,
  mergeSettings,
  newSettings,
  type Subscription,
  type UpdateSubscription,
} from '../domain/subscription.ts'
import type { Vault } from '../secrets/vault.ts'
import { checkSecret, generateSecret, SECRET_KEY_BYTES } from '../signature/secret.ts'
import { findSubscription, insertSubscription, updateSubscription } from '../storage/subscriptions.ts'
import { ensureWorkspace, findWorkspaceNo } from '../storage/workspaces.ts'

export type SubscribeDeps = { db: D1Database; vault: Vault; now: () => number; rules: DestinationRules }

/** Fields that cannot be accepted, and what would be right. */
export type Invalid = { kind: 'invalid'; problems: { path: string; message: string }[] }

/** Creates a subscription; it takes effect for the next publish on any isolate. The secret is in the answer, once. */
export async function createSubscription(
  deps: SubscribeDeps,
  workspaceId: string,
  input: CreateSubscription,
): Promise<{ kind: 'created'; subscription: Subscription; secret: string } | Invalid> {
  const secret = input.secret ?? generateSecret(crypto.getRandomValues(new Uint8Array(SECRET_KEY_BYTES)))
  const problem = problemsOf(deps.rules, { url: input.url, secret })
  if (problem !== null) return problem
  const nowMs = deps.now()
  const id = newSubscriptionId()
  await ensureWorkspace(deps.db, workspaceId, nowMs)
  const workspaceNo = await findWorkspaceNo(deps.db, workspaceId)
  if (workspaceNo === null) throw new Error('a workspace vanished after its creation')
  const secretCipher = await deps.vault.seal(secret, id)
  const settings = newSettings(input, await sealHeaders(deps.vault, id, input.headers))
  const row = { workspaceNo, id, active: input.active ?? true, settings, secretCipher }
  await insertSubscription(deps.db, row, nowMs)
  const subscription = await findSubscription(deps.db, workspaceId, id)
  if (subscription === null) throw new Error('a subscription vanished after its creation')
  return { kind: 'created', subscription, secret }
}

/** How often a change is tried afresh when another one came between. */
const UPDATE_ROUNDS_MAX = 5

/** Changes what is named and leaves the rest (seed 002's example of `PUT`). */
export async function changeSubscription(
  deps: SubscribeDeps,
  workspaceId: string,
  id: string,
  change: UpdateSubscription,
): Promise<
  { kind: 'changed'; subscription: Subscription } | { kind: 'not_found' } | { kind: 'contended' } | Invalid
> {
  const problem = problemsOf(deps.rules, change)
  if (problem !== null) return problem
  for (let round = 0; round < UPDATE_ROUNDS_MAX; round++) {
    const current = await findSubscription(deps.db, workspaceId, id)
    if (current === null || current.deletedAtMs !== null) return { kind: 'not_found' }
    const settings = mergeSettings(
      current.settings,
      change,
      await sealHeaders(deps.vault, id, change.headers),
    )
    const active = change.active ?? current.active
    const secretCipher =
      change.secret === undefined ? current.secretCipher : await deps.vault.seal(change.secret, id)
    const matchingChanged =
      active !== current.active || JSON.stringify(settings.events) !== JSON.stringify(current.settings.events)
    const nowMs = deps.now()
    if (
      await updateSubscription(deps.db, current, { active, settings, secretCipher, matchingChanged }, nowMs)
    ) {
      const version = current.version + 1
      return { kind: 'changed', subscription: { ...current, active, settings, version, updatedAtMs: nowMs } }
    }
  }
  return { kind: 'contended' }
}

function problemsOf(
  rules: DestinationRules,
  { url, secret }: { url?: string | undefined; secret?: string | undefined },
): Invalid | null {
  const checks = [
    { path: 'url', check: url === undefined ? null : checkDestination(url, rules) },
    { path: 'secret', check: secret === undefined ? null : checkSecret(secret) },
  ]
  const problems = checks.flatMap(({ path, check }) =>
    check === null || check.ok ? [] : [{ path, message: check.message }],
  )
  return problems.length === 0 ? null : { kind: 'invalid', problems }
}

/** Custom headers as they are stored; null for none. */
async function sealHeaders(
  vault: Vault,
  id: string,
  headers: Record<string, string> | undefined,
): Promise<string | null> {
  if (headers === undefined || Object.keys(headers).length === 0) return null
  return await vault.seal(JSON.stringify(headers), id)
}

function newSubscriptionId(): string {
  return `webhook_${crypto.randomUUID().replaceAll('-', '')}`
}
