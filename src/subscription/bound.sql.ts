import type { Binding } from '../access/binding.ts'

/** The most subscriptions that a list over several of them looks at for a bound caller, the newest ones. */
export const BOUND_SUBSCRIPTIONS_MAX = 2_000

/**
 * SQL for the subscriptions `s` of a workspace `w` that a binding names, by an index. The parameter holds its values; the
 * first one is looked up, and the others are asked of what it finds.
 */
export function boundSource(parameter: string): string {
  return `JOIN subscription_metadata m ON m.workspace_no = w.no AND m.name = ${parameter} ->> '$[0][0]' AND m.value = ${parameter} ->> '$[0][1]'
    AND NOT EXISTS (SELECT 1 FROM json_each(${parameter}) b WHERE b.key > 0 AND NOT EXISTS (
      SELECT 1 FROM subscription_metadata o WHERE o.workspace_no = m.workspace_no AND o.name = b.value ->> 0 AND o.value = b.value ->> 1
        AND o.subscription_no = m.subscription_no))`
}

/** The values of a binding as that parameter. */
export function boundParameter({ metadata }: Binding): string {
  return JSON.stringify(Object.entries(metadata))
}

/**
 * The numbers of the subscriptions that a binding names, deleted ones included, newest first; null where there is no
 * binding. A list that takes such a set shows nothing of other subscriptions.
 */
export async function boundSubscriptionNos(
  db: D1Database,
  workspaceId: string,
  binding: Binding | null,
): Promise<number[] | null> {
  if (binding === null) return null
  const { results } = await db
    .prepare(
      `SELECT m.subscription_no AS no FROM workspace w CROSS ${boundSource('?2')}
       WHERE w.id = ?1 ORDER BY m.subscription_no DESC LIMIT ?3`,
    )
    .bind(workspaceId, boundParameter(binding), BOUND_SUBSCRIPTIONS_MAX)
    .all<{ no: number }>()
  return results.map(({ no }) => no)
}
