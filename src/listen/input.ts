import type * as z from 'zod'
import { createSubscriptionSchema } from '../subscription/input.ts'

/** Settings that have no use for a subscription that lives as long as its listener, or that its address replaces. */
const WITHOUT = {
  url: true,
  uid: true,
  active: true,
  auth: true,
  destinationIps: true,
  disablePolicy: true,
} as const

/** Body of `POST /listeners`: what a subscription may have, but for its address. */
export const listenerSettingsSchema = createSubscriptionSchema.omit(WITHOUT).meta({ id: 'ListenerSettings' })
export type ListenerSettings = z.infer<typeof listenerSettingsSchema>
