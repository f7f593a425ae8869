import { canonicalJson } from '../../base/json/canonical.ts'
import { maskUrl } from '../../base/secret/mask-url.ts'
import type { Vault } from '../../base/secret/vault.ts'
import { maskAuth } from '../../destination/auth.ts'
import { openAuth, openHeaders } from '../../destination/sealed.ts'
import { maskHeaders } from '../../shape/headers.ts'
import type { CreateSubscription } from '../input.ts'
import { keptReason } from '../ownership/ownership.ts'
import { storedSettingsSchema } from '../settings.ts'
import type { Subscription } from '../subscription.ts'

/** A creation, and the subscription that it would make. */
export type Creation = { input: CreateSubscription; draft: Subscription }

/**
 * A live subscription has the uid: it is as the creation would have it, or `fields` of it are otherwise. `uncompared` are
 * fields with credentials that the caller may not be told about.
 */
export type Taken =
  | { kind: 'same'; subscription: Subscription; uncompared: string[] }
  | { kind: 'different'; uid: string; fields: string[] }

type CompareDeps = { vault: Vault; maySeeSecrets: boolean }
type Content = Record<string, unknown>

/** Compares a creation with the subscription that has its uid. Credentials count for those only who may see them. */
export async function compareWith(
  deps: CompareDeps,
  holder: Subscription,
  creation: Creation,
): Promise<Taken> {
  const [asked, stored] = [await contentOf(deps, creation.draft), await contentOf(deps, holder)]
  const [shown, found] = deps.maySeeSecrets ? [asked, stored] : [masked(asked), masked(stored)]
  const fields = [
    ...differences(shown, found),
    ...(await findOtherwise(deps, holder, creation)),
    ...(isSwitchedOtherwise(holder, creation) ? ['active'] : []),
  ]
  if (fields.length > 0) return { kind: 'different', uid: holder.uid ?? '', fields }
  const withheld = deps.maySeeSecrets ? [] : [...differences(asked, shown), ...namedSecret(creation)]
  return { kind: 'same', subscription: holder, uncompared: withheld }
}

function differences(one: Content, other: Content): string[] {
  return Object.keys(one).filter((name) => canonicalJson(one[name]) !== canonicalJson(other[name]))
}

/** All settings of a subscription, opened, under the names that callers have for them. */
async function contentOf({ vault }: CompareDeps, subscription: Subscription) {
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

/** The same as answers show it. */
function masked({ url, headers, auth, ...others }: Awaited<ReturnType<typeof contentOf>>): Content {
  return {
    ...others,
    url: maskUrl(url),
    headers: maskHeaders(headers),
    auth: auth === null ? null : maskAuth(auth),
  }
}

/** Names the secret where the creation names another one; one that was generated is compared with none. */
async function findOtherwise(
  { vault, maySeeSecrets }: CompareDeps,
  holder: Subscription,
  { input: { secret } }: Creation,
): Promise<string[]> {
  const { secretCipher } = holder.sealed
  if (secret === undefined || !maySeeSecrets) return []
  const stored = secretCipher === null ? null : await vault.open(secretCipher, holder, 'secret')
  return secret === stored ? [] : ['secret']
}

function namedSecret({ input: { secret } }: Creation): string[] {
  return secret === undefined ? [] : ['secret']
}

function isSwitchedOtherwise(holder: Subscription, { input: { active } }: Creation): boolean {
  return active !== undefined && active !== (holder.active || keptReason(holder) !== null)
}
