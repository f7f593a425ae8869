import type { Schemas } from '../api/schemas.ts'
import type { InWords } from './health.ts'
import { countOf } from './numbers.ts'
import { timeOfDay } from './time.ts'

export type Replay = Schemas['Replay']

/** Outcomes of which a replay makes deliveries again. */
export const REPLAYED_STATES = {
  failed: 'Failed for good',
  skipped: 'Not sent',
  success: 'Delivered',
} as const
export type ReplayedState = keyof typeof REPLAYED_STATES

/** The same of deliveries in the middle of a sentence. */
const WITH_STATE = {
  failed: 'failed for good',
  skipped: 'were not sent',
  success: 'were delivered',
} as const satisfies Record<ReplayedState, string>

/** How far a replay has come, and what becomes of it. */
export function replayInWords(replay: Replay): InWords {
  const made = countOf(replay.replayed, 'delivery', 'deliveries')
  switch (replay.state) {
    case 'running':
      return { tone: 'waiting', label: 'Running', sentence: `${made} sent again so far.` }
    case 'completed':
      return { tone: 'good', label: 'Completed', sentence: `${made} sent again.` }
    case 'cancelled':
      return { tone: 'off', label: 'Cancelled', sentence: `${made} had been sent again by then.` }
    case 'failed':
      return { tone: 'bad', label: 'Failed', sentence: replay.error ?? `It ended after ${made}.` }
  }
}

/** The members of a request as the API shows it, none of which each kind of replay has. */
type Asked = {
  status?: ReplayedState[]
  events?: string[] | null
  dateFrom?: string | null
  dateTo?: string | null
  backfill?: boolean
  webhooks?: string[] | null
}

/** What a replay was asked to send again. */
export function askedInWords({ request, eventId }: Replay): string {
  const { status = [], events, dateFrom, dateTo, backfill, webhooks, ...rest } = request as Asked
  if ('deliveryId' in rest) return 'One delivery'
  if (eventId !== null) return webhooks ? `One event to ${countOf(webhooks.length, 'receiver')}` : 'One event'
  const states = status.map((state) => WITH_STATE[state])
  const parts = [
    states.length > 0 ? `Deliveries that ${states.join(' or ')}` : 'Events',
    backfill === true && 'with events from before it wanted them',
    events && `of ${events.join(', ')}`,
    dateFrom && `from ${timeOfDay(dateFrom, Date.now())}`,
    dateTo && `until ${timeOfDay(dateTo, Date.now())}`,
  ]
  return parts.filter(Boolean).join(' ')
}
