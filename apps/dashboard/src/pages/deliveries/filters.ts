import { DELIVERY_STATES } from '../../components/list/state-tabs.tsx'
import type { ReplayDraft } from '../../components/replay/replay-draft.ts'
import { REPLAYED_STATES, type ReplayedState } from '../../words/replay.ts'

/** The filters of the list of deliveries, by their names in the address and the API. */
export const FILTERS = [
  ...(['status', 'event', 'responseCode', 'webhook', 'q'] as const),
  ...(['dateFrom', 'dateTo', 'blocked', 'waiting'] as const),
] as const
export type Filters = Partial<Record<(typeof FILTERS)[number], string>>

/** What the API is asked: it takes some filters as true only. */
export function queryOf({ blocked, waiting, ...texts }: Filters & { cursor?: string }) {
  return {
    ...texts,
    ...(blocked === 'true' && { blocked: true as const }),
    ...(waiting === 'true' && { waiting: true as const }),
  }
}

/** The state that is shown as chosen; several at once are none of them. */
export function stateOf({ status }: Filters) {
  return DELIVERY_STATES.find((state) => state === status) ?? 'all'
}

/** The replay that sends again what the filters let pass; null where a replay knows no such filter. */
export function replayOf({
  status,
  event,
  dateFrom,
  dateTo,
  ...others
}: Filters): Partial<ReplayDraft> | null {
  const { webhook: _, ...unknown } = others
  if (Object.keys(unknown).length > 0) return null
  const states = status === undefined ? (['failed'] as const) : statesOf(status)
  if (states.length === 0) return null
  return {
    states,
    ...(event !== undefined && { events: event }),
    ...(dateFrom !== undefined && { dateFrom }),
    ...(dateTo !== undefined && { dateTo }),
  }
}

function statesOf(status: string): ReplayedState[] {
  return (Object.keys(REPLAYED_STATES) as ReplayedState[]).filter((state) =>
    status.split(',').includes(state),
  )
}
