import type { Binding } from '../../access/binding.ts'
import type { Vault } from '../../base/secret/vault.ts'
import { type Diagnosis, diagnose } from '../../signature/doctor/diagnose.ts'
import type { Examined, HolderKeys, OtherKeys } from '../../signature/doctor/examined.ts'
import { readKeys } from '../../signature/verify/keys.ts'
import type { Subscription } from '../subscription.ts'
import { listSubscriptions } from '../subscriptions.sql.ts'
import { openVerificationKeys, type VerificationKeys } from './verification-keys.ts'

/** Subscriptions of a workspace, newest first, whose secrets are tried on a request. */
const OTHERS_MAX = 50

export type ExamineDeps = { db: D1Database; vault: Vault; now: () => number }

/** A request, with the keys that its receiver has and the subscription that it should come from. */
export type Presented = Pick<
  Examined,
  'headers' | 'body' | 'profile' | 'custom' | 'computed' | 'receivedAtMs' | 'toleranceSeconds'
> & {
  /** The receiver's keys; without any those of the subscription count. */
  keys: VerificationKeys
  subscription: Subscription | null
  /** The workspace whose subscriptions may be tried; null for none. */
  workspaceId: string | null
  /** Only those that a caller is bound to may be; null for all. */
  binding: Binding | null
}

/** Examines a request that a receiver has got. Stored secrets are compared with, and not shown. */
export async function examineRequest(deps: ExamineDeps, presented: Presented): Promise<Diagnosis> {
  const { subscription, keys: given, ...request } = presented
  const own = subscription === null ? null : await openVerificationKeys(deps.vault, subscription, deps.now())
  const hasKeys = given.secrets.length + given.publicKeys.length > 0
  const keys = hasKeys ? given : (own?.valid ?? given)
  return await diagnose({
    ...request,
    profile: request.profile ?? subscription?.settings.profile,
    custom: request.custom ?? subscription?.settings.custom ?? null,
    keys: holderKeys(keys),
    others: () => otherKeys(deps, presented, own),
  })
}

type OwnKeys = Awaited<ReturnType<typeof openVerificationKeys>> | null

async function* otherKeys(
  deps: ExamineDeps,
  { subscription, keys: given, workspaceId, binding }: Presented,
  own: OwnKeys,
): AsyncGenerator<OtherKeys> {
  if (subscription !== null && own !== null) {
    const isOld = own.ended.secrets.some((secret) => given.secrets.includes(secret))
    const cause = isOld ? 'previous_secret' : 'other_secret'
    yield { ...holderKeys(own.valid), cause, holder: subscription.id }
    yield { ...holderKeys(own.ended), cause: 'previous_secret', holder: subscription.id }
  }
  if (workspaceId === null) return
  const page = { belowNo: Number.MAX_SAFE_INTEGER, limit: OTHERS_MAX, withDeleted: false, binding }
  for (const other of await listSubscriptions(deps.db, workspaceId, page)) {
    if (other.no === subscription?.no) continue
    const { valid, ended } = await openVerificationKeys(deps.vault, other, deps.now())
    const keys = {
      secrets: [...valid.secrets, ...ended.secrets],
      publicKeys: [...valid.publicKeys, ...ended.publicKeys],
    }
    yield { ...holderKeys(keys), cause: 'other_subscription', holder: other.id }
  }
}

/** The keys as they are compared with; none where one of them is none. */
function holderKeys({ secrets, publicKeys }: VerificationKeys): HolderKeys {
  const read = readKeys(secrets, publicKeys)
  return read.ok ? read : { secrets, publicKeys: [] }
}
