import { type SubscriptionRow, toSubscription } from '../row.ts'
import type { Subscription } from '../subscription.ts'
import { OWN_COLUMNS } from '../subscriptions.sql.ts'

/** Finds some of a workspace's subscriptions and dispatch targets by their numbers, deleted ones included. */
export async function findSubscriptionsByNo(
  db: D1Database,
  workspaceId: string,
  nos: readonly number[],
): Promise<Subscription[]> {
  if (nos.length === 0) return []
  const { results } = await db
    .prepare(
      `SELECT ${OWN_COLUMNS} FROM workspace w CROSS JOIN json_each(?2) n
       CROSS JOIN subscription s ON s.no = n.value AND s.workspace_no = w.no WHERE w.id = ?1`,
    )
    .bind(workspaceId, JSON.stringify(nos))
    .all<SubscriptionRow>()
  return results.map(toSubscription)
}
