import { base64Url } from '../base/bytes.ts'
import { sha256 } from '../base/secret/digest.ts'
import { listenerAddress } from '../destination/listener-address.ts'
import type { Invalid } from '../subscription/checks/address-problems.ts'
import { type Created, createSubscription, type LimitReached } from '../subscription/create.ts'
import { newSubscriptionId } from '../subscription/draft.ts'
import type { Listeners } from './client.ts'
import type { ListenerSettings } from './input.ts'
import { LISTENERS_MAX } from './terms.ts'

type ListenerDeps = Parameters<typeof createSubscription>[0] & { listeners: Listeners }

const TICKET_BYTES = 32

/** `ticket` lets its bearer connect as this listener, as long as the session lasts. */
export type CreatedListener = Created & { ticket: string; renewByMs: number }

/**
 * Creates a temporary subscription for a listener that is about to connect. The session begins before it, so that
 * nothing is left of one that is cut off.
 */
export async function createListener(
  deps: ListenerDeps,
  workspaceId: string,
  settings: ListenerSettings,
): Promise<CreatedListener | LimitReached | Invalid> {
  const id = newSubscriptionId(deps.newKey())
  const ticket = base64Url(crypto.getRandomValues(new Uint8Array(TICKET_BYTES)))
  const renewByMs = await deps.listeners.open({ workspaceId, id, ticketHash: await sha256(ticket) })
  const input = { ...settings, url: listenerAddress(id) }
  const created = await createSubscription(deps, workspaceId, input, { id, max: LISTENERS_MAX })
  switch (created.kind) {
    case 'created':
      return { ...created, ticket, renewByMs }
    case 'limit_reached':
    case 'invalid':
      await deps.listeners.end(id)
      return created
    case 'same':
    case 'different':
      throw new Error('a listener’s subscription has no uid')
  }
}
