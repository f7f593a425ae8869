import * as z from 'zod'
import { patternMatches } from '../model/event-type.ts'
import type { EventView } from '../model/event-view.ts'
import { orderKeyOf, type PayFor } from './order-key.ts'
import {
  batchSettingsSchema,
  concurrencySchema,
  type PacingLevel,
  pacingLevelOf,
  rateLimitSchema,
} from './settings.ts'

/** The part of a paced subscription's settings that publishing reads; old rows lack members. */
export const storedPacingSchema = z
  .object({
    batchSettings: batchSettingsSchema.nullable(),
    ordered: z.boolean().nullable(),
    orderingKey: z.string().nullable(),
    rateLimit: rateLimitSchema.nullable(),
    concurrency: concurrencySchema.nullable(),
  })
  .transform((stored) => ({ ...stored, ordered: stored.ordered ?? false, onExhausted: 'block' as const }))
export type StoredPacing = z.infer<typeof storedPacingSchema>

/** A subscription whose deliveries wait from their publish on. */
export type PacedSubscription = { no: number; active: boolean; pacing: StoredPacing }

/** A delivery that is to wait; `orderKey` is null where no order is kept. */
export type PacedDelivery = { subscriptionNo: number; level: PacingLevel; orderKey: string | null }

/** Names the deliveries of an event that wait, and the subscriptions that it flushes. */
export type WaitingPlan = {
  waiting: (fanout: readonly number[], view: () => EventView, payFor?: PayFor) => PacedDelivery[]
  flushes: (type: string) => number[]
}

const NONE_WAITING: PacedDelivery[] = []
const NO_FLUSHES: number[] = []

/** Plans what publishing does for a workspace's paced subscriptions; null when there are none. */
export function planWaiting(subscriptions: readonly PacedSubscription[]): WaitingPlan | null {
  const paced = new Map(
    subscriptions.flatMap(({ no, pacing }) => {
      const level = pacingLevelOf(pacing)
      return level === 'none' ? [] : [[no, { level, ordered: pacing.ordered, key: pacing.orderingKey }]]
    }),
  )
  if (paced.size === 0) return null
  const flushers = subscriptions.flatMap(({ no, active, pacing }) => {
    const patterns = pacing.batchSettings?.enabled ? pacing.batchSettings.flushOnEvent : []
    return active && patterns.length > 0 ? [{ no, patterns }] : []
  })
  return {
    waiting: (fanout, view, payFor) => {
      const waiting = fanout.flatMap((subscriptionNo) => {
        const found = paced.get(subscriptionNo)
        if (found === undefined) return []
        const { level, ordered, key } = found
        // Without a path all events share one key, and their data need not be read.
        const orderKey = !ordered ? null : key === null ? '' : orderKeyOf(view(), key, payFor)
        return [{ subscriptionNo, level, orderKey }]
      })
      return waiting.length === 0 ? NONE_WAITING : waiting
    },
    flushes: (type) => {
      if (flushers.length === 0) return NO_FLUSHES
      return flushers
        .filter(({ patterns }) => patterns.some((pattern) => patternMatches(pattern, type)))
        .map(({ no }) => no)
    },
  }
}
