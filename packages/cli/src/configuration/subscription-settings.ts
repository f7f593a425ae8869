import type { Schemas } from '../../../client/src/index.ts'
import { escapeReferences } from './references.ts'

export type Settings = Record<string, unknown>

/**
 * The settings of a subscription in the order in which people read them, each with the value of one that leaves it out.
 * Those without a value here are required, or stay as they are where they are left out.
 */
export const SUBSCRIPTION_DEFAULTS: Readonly<Settings> = {
  uid: undefined,
  name: null,
  description: null,
  url: undefined,
  events: undefined,
  active: undefined,
  secret: undefined,
  profile: 'standard',
  custom: null,
  asymmetric: false,
  timeoutSeconds: undefined,
  livemode: null,
  apiVersion: null,
  filters: null,
  conditions: null,
  conditionLogic: 'AND',
  transform: null,
  headers: {},
  auth: null,
  metadata: {},
  retryPolicy: null,
  responseRules: null,
  disablePolicy: null,
  expiresAfterSeconds: null,
  batchSettings: null,
  ordered: false,
  orderingKey: null,
  onExhausted: 'block',
  rateLimit: null,
  concurrency: null,
  destinationIps: null,
}

/** The default that a profile has for the timeout. */
const TIMEOUT_SECONDS = { usual: 10, marko: 30 }

/** The settings of a subscription as one writes them: without what is read-only, and without defaults. */
export function settingsOf(subscription: Schemas['Subscription']): Settings {
  const shown = subscription as unknown as Settings
  const names = Object.keys(SUBSCRIPTION_DEFAULTS).filter((name) => name !== 'secret' && name !== 'active')
  const kept = names.filter(
    (name) => !isEqual(shown[name], defaultOf(name, subscription.profile)) && shown[name] != null,
  )
  const isOff = subscription.disabledReason === 'manual'
  return {
    ...Object.fromEntries(kept.map((name) => [name, escapeReferences(shown[name])])),
    ...(isOff && { active: false }),
  }
}

/** The value that a setting has where it is left out. */
export function defaultOf(name: string, profile: unknown): unknown {
  if (name !== 'timeoutSeconds') return SUBSCRIPTION_DEFAULTS[name]
  return profile === 'marko' ? TIMEOUT_SECONDS.marko : TIMEOUT_SECONDS.usual
}

/** Tells whether two values of JSON are the same; the order of members does not count. */
export function isEqual(one: unknown, other: unknown): boolean {
  if (one === other) return true
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false
  if (Array.isArray(one) !== Array.isArray(other)) return false
  const names = new Set([...Object.keys(one), ...Object.keys(other)])
  return [...names].every((name) => isEqual((one as Settings)[name], (other as Settings)[name]))
}
