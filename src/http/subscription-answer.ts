import { z } from 'zod'
import { retryPolicySchema } from '../domain/retry-policy.ts'
import { type Counters, emptyCounters } from '../domain/statistics.ts'
import type { Subscription } from '../domain/subscription.ts'
import { openHeaders } from '../secrets/headers.ts'
import type { Vault } from '../secrets/vault.ts'

/** A subscription as the API shows it, in seed 002's shape. */
export const subscriptionAnswerSchema = z.object({
  id: z.string(),
  url: z.string(),
  events: z.array(z.string()),
  secret: z.string().describe('Masked, but in the answer to creation; GET /webhooks/{id}/secret shows it'),
  description: z.string().nullable(),
  active: z.boolean(),
  metadata: z.record(z.string(), z.string()),
  headers: z.record(z.string(), z.string()),
  retryPolicy: retryPolicySchema.nullable(),
  timeoutSeconds: z.int(),
  profile: z.literal('standard'),
  createdAt: z.string(),
  updatedAt: z.string(),
  statistics: z.object({
    totalDelivered: z.int(),
    totalFailed: z.int(),
    lastDelivery: z.string().nullable(),
  }),
})

/** What is shown of a secret that exists. */
export const MASKED_SECRET = '********'

/** Shows a subscription; `secret` is masked unless it is given. */
export async function subscriptionAnswer(
  vault: Vault,
  subscription: Subscription,
  {
    counters = emptyCounters(),
    secret = MASKED_SECRET,
  }: { counters?: Counters | undefined; secret?: string } = {},
): Promise<z.infer<typeof subscriptionAnswerSchema>> {
  const { id, active, settings, createdAtMs, updatedAtMs } = subscription
  const { url, events, description, metadata, headersCipher, retryPolicy, timeoutSeconds, profile } = settings
  const headers = headersCipher === null ? {} : maskHeaders(await openHeaders(vault, id, headersCipher))
  return {
    ...{
      id,
      url,
      events,
      secret,
      description,
      active,
      metadata,
      headers,
      retryPolicy,
      timeoutSeconds,
      profile,
    },
    createdAt: isoTime(createdAtMs),
    updatedAt: isoTime(updatedAtMs),
    statistics: {
      totalDelivered: counters.delivered,
      totalFailed: counters.failed,
      lastDelivery: counters.lastDeliveryAtMs === 0 ? null : isoTime(counters.lastDeliveryAtMs),
    },
  }
}

/** Headers whose names promise a credential are shown masked. */
function maskHeaders(headers: Record<string, string>): Record<string, string> {
  const masked = Object.entries(headers).map(([name, value]) => [
    name,
    CREDENTIAL.test(name) ? MASKED_SECRET : value,
  ])
  return Object.fromEntries(masked) as Record<string, string>
}

const CREDENTIAL = /auth|cookie|key|pass|secret|signature|token|credential/i

/** ISO 8601, UTC. */
export function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString()
}
