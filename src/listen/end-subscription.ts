import { deleteSubscription, findSubscription } from '../subscription/subscriptions.sql.ts'

/** Deletes a temporary subscription, so that what is still owed to it is skipped; one that is gone already is fine. */
export async function endSubscription(
  db: D1Database,
  { workspaceId, id }: { workspaceId: string; id: string },
  nowMs: number,
): Promise<void> {
  const subscription = await findSubscription(db, workspaceId, id)
  if (subscription === null || subscription.deletedAtMs !== null) return
  await deleteSubscription(db, subscription, nowMs)
}
