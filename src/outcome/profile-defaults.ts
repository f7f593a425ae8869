import type { Profile } from '../shape/profile.ts'
import { DEFAULT_POLICY, hasDelays, type PolicyDefaults, type RetryPolicy } from './retry-policy.ts'

/** Seconds a receiver has to answer when neither the subscription nor its profile says. */
const TIMEOUT_SECONDS_DEFAULT = 10

type Defaults = { retryPolicy: RetryPolicy; timeoutSeconds?: number; everyClientErrorIsFinal?: boolean }

/** The defaults that the document behind a profile gives its webhooks. */
const OF_PROFILE: Partial<Record<Profile, Defaults>> = {
  core: { retryPolicy: { schedule: [60, 300, 1800] } },
  bigledger: {
    retryPolicy: { maxRetries: 5, retryDelay: 5, backoffMultiplier: 2, maxAgeSeconds: 86_400 },
  },
  ledgerly: {
    retryPolicy: { tries: 3, backoff: [10, 30, 60], retryClientErrors: false },
    everyClientErrorIsFinal: true,
  },
  marko: { retryPolicy: { schedule: [120, 240, 480] }, timeoutSeconds: 30 },
}

/** The retries of a subscription whose own policy is silent. */
export function retryDefaultsOf(profile: Profile): PolicyDefaults {
  const defaults = OF_PROFILE[profile]
  return {
    policy: defaults?.retryPolicy ?? null,
    everyClientErrorIsFinal: defaults?.everyClientErrorIsFinal ?? false,
  }
}

/** Seconds a receiver has to answer where its subscription does not say. */
export function timeoutSecondsOf(profile: Profile): number {
  return OF_PROFILE[profile]?.timeoutSeconds ?? TIMEOUT_SECONDS_DEFAULT
}

/** The policy in force of a subscription; `source` says where its delays come from. */
export type PolicyInForce = RetryPolicy & { source: 'subscription' | 'profile' }

/** Shows the policy that counts: the subscription's own, with that of its profile where it has no delays. */
export function policyInForce(own: RetryPolicy | null, profile: Profile): PolicyInForce {
  if (own !== null && hasDelays(own)) return { ...own, source: 'subscription' }
  return { ...(OF_PROFILE[profile]?.retryPolicy ?? DEFAULT_POLICY), ...own, source: 'profile' }
}
