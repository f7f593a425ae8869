import { chunksOf } from '../base/chunks.ts'
import { deleteBodies } from '../store/bodies.ts'
import { agedDeliveries } from './aged-events.sql.ts'
import type { AgedDelivery, AgedEvent } from './retention.ts'

/** Events of one step with all their deliveries. */
export type PurgeStep = { events: AgedEvent[]; deliveries: AgedDelivery[] }

const DELIVERIES_PER_STEP = 1_000
const R2_KEYS_PER_CALL = 1_000

/** Reads the events of a step with their deliveries; fewer where back-fills gave them too many. */
export async function readStep(
  db: D1Database,
  chosen: readonly AgedEvent[],
  subscriptions: readonly number[],
): Promise<PurgeStep> {
  let events = [...chosen]
  while (events.length > 1) {
    const deliveries = await agedDeliveries(db, { events, subscriptions }, DELIVERIES_PER_STEP + 1)
    if (deliveries.length <= DELIVERIES_PER_STEP) return { events, deliveries }
    events = events.slice(0, Math.ceil(events.length / 4))
  }
  return { events, deliveries: await agedDeliveries(db, { events, subscriptions }, Number.MAX_SAFE_INTEGER) }
}

/**
 * Removes the objects whose rows are gone; the walk over the bucket finds any that a crash leaves.
 */
export async function removeObjects(bodies: R2Bucket, { events, deliveries }: PurgeStep): Promise<void> {
  const named = [...events.map(({ bodyKey }) => bodyKey), ...deliveries.map(({ keptKey }) => keptKey)]
  const keys = named.filter((key) => key !== null)
  for (const chunk of chunksOf(keys, R2_KEYS_PER_CALL)) await deleteBodies(bodies, chunk)
}
