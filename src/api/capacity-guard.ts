import { RelayError } from '../model/errors.ts'
import type { Relay } from '../relay.ts'
import { capacityMessage } from '../store/capacity.ts'

/** A purge frees room within minutes, where there is anything to purge. */
const RETRY_AFTER_SECONDS = 120

/** Refuses an event while the database is full: what was accepted must still have room for its outcomes. */
export async function requireRoom(relay: Relay, background: (work: Promise<unknown>) => void): Promise<void> {
  const fill = await relay.capacity(background)
  if (fill.state !== 'full') return
  const message = `Nothing was accepted: ${capacityMessage(fill)}.`
  throw new RelayError('unavailable', message, { retryAfterSeconds: RETRY_AFTER_SECONDS })
}
