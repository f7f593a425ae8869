import type { Schemas } from '../../api/schemas.ts'
import type { ReplayedState } from '../../words/replay.ts'

/** A replay as it is being asked for, field by field. */
export type ReplayDraft = {
  states: readonly ReplayedState[]
  /** Types and patterns, parted by commas; empty for all. */
  events: string
  dateFrom: string
  dateTo: string
  backfill: boolean
  ratePerSecond: string
}

export const NEW_REPLAY: ReplayDraft = {
  states: ['failed'],
  events: '',
  dateFrom: '',
  dateTo: '',
  backfill: false,
  ratePerSecond: '',
}

/** The request that a draft stands for; what is empty is left out. */
export function requestOf(draft: ReplayDraft): Schemas['ReplayRequest'] {
  const { states, dateFrom, dateTo, backfill, ratePerSecond } = draft
  const events = draft.events.split(/[\s,]+/).filter((each) => each !== '')
  return {
    status: [...states],
    ...(events.length > 0 && { events }),
    ...(dateFrom !== '' && { dateFrom }),
    ...(dateTo !== '' && { dateTo }),
    ...(backfill && { backfill }),
    ...(ratePerSecond !== '' && { ratePerSecond: Number(ratePerSecond) }),
  }
}
