import { maskUrl } from '../../base/secret/mask-url.ts'
import { successRate } from '../../history/counters.ts'
import type { Outcomes } from '../../history/workspace-statistics/counters.sql.ts'
import type { Findable } from './find-listed.sql.ts'

/** The orders of a list of subscriptions: the newest first, or by their figures of the last day, the worst first. */
export const SORTS = ['created', 'failures', 'rate', 'deliveries'] as const
export type Sort = (typeof SORTS)[number]

/** A subscription's place in an order: the lowest rank comes first, and of one rank the highest number. */
export type Ranked = { no: number; rank: number }

/** The rank behind all rates: that of subscriptions without deliveries. */
const NO_RATE = 10_001
/** The figures of a subscription without deliveries. */
const NONE: Outcomes = { delivered: 0, failed: 0 }
/** More deliveries of one day than any subscription has. */
const COUNT_MAX = 10 ** 12

/** Tells whether an id, the name, the description or the URL, as far as it is shown, has a text in it, in any case. */
export function isNamedLike({ id, uid, name, description, url }: Findable, text: string): boolean {
  const wanted = text.toLowerCase()
  return [id, uid, name, description, maskUrl(url)].some((each) => each?.toLowerCase().includes(wanted))
}

/** Puts subscriptions in order. */
export function rankSubscriptions(
  nos: readonly number[],
  sort: Sort,
  lastDay: ReadonlyMap<number, Outcomes>,
): Ranked[] {
  return nos.map((no) => ({ no, rank: rankOf(sort, lastDay.get(no) ?? NONE) })).sort(compareRanks)
}

/** Orders places as a list has them. */
export function compareRanks(one: Ranked, other: Ranked): number {
  return one.rank - other.rank || other.no - one.no
}

function rankOf(sort: Sort, outcomes: Outcomes): number {
  const { delivered, failed } = outcomes
  switch (sort) {
    case 'created':
      return 0
    case 'failures':
      return COUNT_MAX - Math.max(0, failed)
    case 'deliveries':
      return COUNT_MAX - delivered
    case 'rate':
      return delivered + failed <= 0 ? NO_RATE : Math.round(successRate(outcomes) * 100)
  }
}
