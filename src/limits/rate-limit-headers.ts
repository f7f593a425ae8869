import { type LimitName, WORKSPACE_SUBJECT } from './limits.ts'
import type { LimitLeft } from './workspace-use.ts'

/** The windows of limits, and what they count; the form is that of the IETF's draft on RateLimit headers. */
const POLICIES: Partial<Record<LimitName, string>> = {
  requestsPerSecond: 'w=1',
  eventsPerSecond: 'qu="events";w=1',
  eventsPerDay: 'qu="events";w=86400',
  storedEvents: 'qu="events"',
  subscriptions: 'qu="subscriptions"',
}

/** `RateLimit-Policy` and `RateLimit`: each limit under its name, a key's behind `key-`. */
export function rateLimitHeaders(limits: readonly LimitLeft[]): Record<string, string> {
  if (limits.length === 0) return {}
  return {
    'RateLimit-Policy': limits.map(policyOf).join(', '),
    RateLimit: limits.map(stateOf).join(', '),
  }
}

function policyOf({ subject, name, limit }: LimitLeft): string {
  return `${policyName(subject, name)};q=${limit};${POLICIES[name] ?? ''}`
}

function stateOf({ subject, name, left, resetSeconds }: LimitLeft): string {
  const reset = name === 'storedEvents' || name === 'subscriptions' ? '' : `;t=${resetSeconds}`
  return `${policyName(subject, name)};r=${left}${reset}`
}

/** A quoted string, as structured fields have it. */
function policyName(subject: string, name: LimitName): string {
  return subject === WORKSPACE_SUBJECT ? `"${name}"` : `"key-${name}"`
}
