import type { Schemas } from '../api/schemas.ts'

const NAMED_MAX = 3

/** What a subscription is called: its name with its URL below, or the URL alone. */
export function titleOf({ name, url }: Pick<Schemas['Subscription'], 'name' | 'url'>): {
  title: string
  detail: string | null
} {
  return name === null || name === ''
    ? { title: withoutScheme(url), detail: null }
    : { title: name, detail: withoutScheme(url) }
}

/** A URL as people read it; that it is not https is worth seeing. */
export function withoutScheme(url: string): string {
  return url.replace(/^https:\/\//, '')
}

/** The events of a subscription: the first few, and how many more. */
export function eventsInWords(events: readonly string[]): string {
  if (events.includes('*')) return 'all events'
  const more = events.length - NAMED_MAX
  const named = events.slice(0, NAMED_MAX).join(', ')
  return more > 0 ? `${named} and ${more} more` : named
}
