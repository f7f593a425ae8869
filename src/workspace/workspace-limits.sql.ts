import { type Limits, storedLimitsSchema } from '../limits/limits.ts'

/** A workspace's number and its limits, in one indexed read; null for a name that no workspace has. */
export async function findWorkspaceLimits(
  db: D1Database,
  id: string,
): Promise<{ no: number; limits: Limits } | null> {
  const row = await db
    .prepare(`SELECT no, settings -> '$.limits' AS limits FROM workspace WHERE id = ?1`)
    .bind(id)
    .first<{ no: number; limits: string | null }>()
  return row === null
    ? null
    : { no: row.no, limits: storedLimitsSchema.parse(JSON.parse(row.limits ?? '{}')) }
}
