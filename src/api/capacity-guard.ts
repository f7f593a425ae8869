import { RelayError } from '../model/errors.ts'
import { capacityMessage } from '../store/capacity.ts'
import type { ApiDeps } from './context.ts'

/** A purge frees space within minutes, where there is anything to purge. */
const RETRY_AFTER_SECONDS = 120

/** Refuses events while the database is full: earlier ones must still have space for their outcomes. */
export async function requireCapacity(deps: Pick<ApiDeps, 'capacity'>): Promise<void> {
  const capacity = await deps.capacity()
  if (capacity.state !== 'full') return
  const message = `Nothing was accepted: ${capacityMessage(capacity)}.`
  throw new RelayError('unavailable', message, { retryAfterSeconds: RETRY_AFTER_SECONDS })
}
