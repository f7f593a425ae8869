import type { Attention } from '../../words/attention.ts'

/** The page on which the next step is taken; null where there is none. */
export function attentionPage({ kind, webhookId }: Attention): string | null {
  if (webhookId === null) return null
  switch (kind) {
    case 'blocked':
      return `/deliveries?blocked=true&webhook=${webhookId}`
    case 'failing':
      return `/subscriptions/${webhookId}?status=failed`
    case 'disabled':
    case 'unverified':
    case 'near_limit':
      return `/subscriptions/${webhookId}`
  }
}
