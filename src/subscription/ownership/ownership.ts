import { isListenerAddress } from '../../destination/listener-address.ts'
import { fixedUrl } from '../../destination/url-template.ts'
import type { Problem } from '../../model/errors.ts'
import type { SubscriptionSettings } from '../settings.ts'
import type { Subscription } from '../subscription.ts'
import { isVerifiedHost } from './verified-hosts.sql.ts'

type Workspace = Pick<Subscription, 'workspaceId' | 'destinations'>

/** True where the workspace wants a proof that its hosts want its deliveries, and this one has not given it. */
export async function isUnverified(
  db: D1Database,
  { workspaceId, destinations }: Workspace,
  url: string,
): Promise<boolean> {
  if (!destinations.verifyOwnership || isListenerAddress(url)) return false
  return !(await isVerifiedHost(db, workspaceId, hostOf(url)))
}

/** The host of a URL that was checked, with its port where that is not the standard one; a listener's address itself. */
export function hostOf(url: string): string {
  const fixed = fixedUrl(url)
  return URL.canParse(fixed) && !isListenerAddress(fixed) ? new URL(fixed).host : fixed
}

/** Why nothing is sent to a host that has not shown that it wants it. */
export const UNVERIFIED: Problem = {
  path: 'url',
  message:
    'must be of a host that has answered a challenge of this workspace: create a subscription there first, or verify the one there is',
}

/** Whether a subscription is active, and why not; null for its owner's wish. */
export type State = { active: boolean; disabledReason: 'unverified' | null }

/** A subscription that is to be active is so once its host has shown that it wants it. */
export async function stateOf(
  db: D1Database,
  before: Subscription,
  { settings, wantsActive }: { settings: SubscriptionSettings; wantsActive: boolean },
): Promise<State> {
  const isSettled = before.no !== 0 && before.active && hostOf(settings.url) === hostOf(before.settings.url)
  const isUnproven = wantsActive && !isSettled && (await isUnverified(db, before, settings.url))
  return { active: wantsActive && !isUnproven, disabledReason: isUnproven ? 'unverified' : null }
}

/** The reason that a change of something else leaves as it is. */
export function keptReason({ disabledReason }: Subscription): State['disabledReason'] {
  return disabledReason === 'unverified' ? disabledReason : null
}
