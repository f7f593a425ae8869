import { STANDING } from './standing.sql.ts'
import type { Standing } from './standing.ts'

/** Subscriptions that a filtered list looks at: the newest. */
const LOOKED_AT_MAX = 10_000

/** The part of a subscription that a list can be filtered by; the URL is not masked. */
export type Findable = {
  no: number
  id: string
  uid: string | null
  name: string | null
  description: string | null
  url: string
}

/** Reads a workspace's subscriptions, newest first, of which some stand in one way, or that are some of its numbers. */
export async function findableSubscriptions(
  db: D1Database,
  workspaceId: string,
  { standing, among }: { standing: Standing | null; among: readonly number[] | null },
): Promise<Findable[]> {
  const { results } = await db
    .prepare(
      `SELECT s.no, s.id, s.uid, s.config ->> 'name' AS name, s.config ->> 'description' AS description, s.config ->> 'url' AS url
       FROM workspace w CROSS JOIN subscription s INDEXED BY subscription_workspace ON s.workspace_no = w.no
       WHERE w.id = ?1 AND s.kind = 0 AND s.deleted_at_ms IS NULL AND (?2 IS NULL OR ${STANDING} = ?2)
         AND (?3 IS NULL OR s.no IN (SELECT value FROM json_each(?3))) ORDER BY s.no DESC LIMIT ${LOOKED_AT_MAX}`,
    )
    .bind(workspaceId, standing, among === null ? null : JSON.stringify(among))
    .all<Findable>()
  return results
}
