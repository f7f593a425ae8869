import * as z from 'zod'
import { decodePairCursor, encodePairCursor } from '../../../base/ids/cursor.ts'
import { hourOf } from '../../../base/time.ts'
import { readOutcomes } from '../../../history/workspace-statistics/counters.sql.ts'
import { invalidField } from '../../../model/errors.ts'
import { findSubscriptionsByNo } from '../../../subscription/overview/by-no.sql.ts'
import { findableSubscriptions } from '../../../subscription/overview/find-listed.sql.ts'
import {
  compareRanks,
  isNamedLike,
  type Ranked,
  rankSubscriptions,
  SORTS,
  type Sort,
} from '../../../subscription/overview/listed.ts'
import { STANDINGS, type Standing } from '../../../subscription/overview/standing.ts'
import type { Subscription } from '../../../subscription/subscription.ts'

const DAY_HOURS = 24

/** Query parameters that filter and sort a list of subscriptions. */
export const sortedShape = {
  health: z.enum(STANDINGS, `must be one of ${STANDINGS.join(', ')}`).optional(),
  q: z
    .string()
    .min(1, 'must not be empty')
    .max(200, 'must be at most 200 characters')
    .describe('A part of an id, the name, the description or the URL')
    .optional(),
  sort: z
    .enum(SORTS, `must be one of ${SORTS.join(', ')}`)
    .describe('By figures of the last day, the worst or the most first; the newest first when left out')
    .optional(),
}

/** A page as a query asks for it; `among` are the subscriptions that the caller may see, null for all. */
export type SortedQuery = {
  health?: Standing | undefined
  q?: string | undefined
  sort?: Sort | undefined
  cursor?: string | undefined
  limit: number
  among: readonly number[] | null
}

type Sorting = { db: D1Database; now: () => number }

/** Reads a page of subscriptions that is filtered or sorted: of the newest 10,000 of the workspace. */
export async function readSortedPage(
  { db, now }: Sorting,
  workspaceId: string,
  { health, q, sort = 'created', cursor, limit, among }: SortedQuery,
): Promise<{ page: Subscription[]; nextCursor: string | null }> {
  const found = await findableSubscriptions(db, workspaceId, { standing: health ?? null, among })
  const nos = found.filter((each) => q === undefined || isNamedLike(each, q)).map(({ no }) => no)
  const lastDay = sort === 'created' ? new Map() : await readOutcomes(db, nos, hourOf(now()) - DAY_HOURS + 1)
  const start = startOf(sort, cursor)
  const ranked = rankSubscriptions(nos, sort, lastDay).filter(
    (each) => start === null || compareRanks(each, start) > 0,
  )
  const shown = ranked.slice(0, limit)
  const last = ranked.length > limit ? shown.at(-1) : undefined
  return {
    page: await inOrder(db, workspaceId, shown),
    nextCursor: last === undefined ? null : encodePairCursor(`subscriptions-${sort}`, [last.rank, last.no]),
  }
}

function startOf(sort: Sort, cursor: string | undefined): Ranked | null {
  if (cursor === undefined) return null
  const numbers = decodePairCursor(`subscriptions-${sort}`, cursor)
  if (numbers === null) throw invalidField('cursor', 'must be the nextCursor of an earlier page of this list')
  const [rank, no] = numbers
  return { rank, no }
}

async function inOrder(
  db: D1Database,
  workspaceId: string,
  ranked: readonly Ranked[],
): Promise<Subscription[]> {
  const nos = ranked.map(({ no }) => no)
  const found = await findSubscriptionsByNo(db, workspaceId, nos)
  const byNo = new Map(found.map((subscription) => [subscription.no, subscription]))
  return nos.flatMap((no) => byNo.get(no) ?? [])
}
