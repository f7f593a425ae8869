import { SEQ_BITS, SEQ_MAX } from '../../base/ids/seq.ts'
import type { Erased } from '../../workspace/deletion.ts'

/** A table whose rows belong to a workspace; `key` names its rows, `object` the column that names an object in R2. */
export type ErasedTable = { name: string; key: string; object?: string; counted?: keyof Erased }

/** Tables whose rows name their subscription. */
export const SUBSCRIPTION_TABLES: readonly ErasedTable[] = [
  { name: 'kept_body', key: 'subscription_no, seq', object: 'body_key' },
  { name: 'response_text', key: 'subscription_no, seq, n' },
  { name: 'attempt', key: 'subscription_no, seq, n' },
  { name: 'delivery', key: 'subscription_no, seq', counted: 'deliveries' },
  { name: 'statistic', key: 'subscription_no, hour' },
  { name: 'access_token', key: 'subscription_no' },
]

/** Tables whose rows name their workspace, by its number or its name. */
export const WORKSPACE_TABLES: readonly (ErasedTable & { of: 'workspace_no' | 'workspace_id' | 'chain' })[] =
  [
    { name: 'event_key', key: 'workspace_no, key', of: 'workspace_no' },
    { name: 'event_type', key: 'workspace_no, name', of: 'workspace_no' },
    { name: 'replay', key: 'no', of: 'workspace_no' },
    { name: 'workspace_statistic', key: 'workspace_no, hour', of: 'workspace_no' },
    { name: 'event_statistic', key: 'workspace_no, hour, type', of: 'workspace_no' },
    { name: 'api_key', key: 'no', of: 'workspace_no' },
    { name: 'revoked_key', key: 'id', of: 'workspace_no' },
    { name: 'archive', key: 'no', object: 'key', of: 'workspace_no' },
    { name: 'subscription_metadata', key: 'workspace_no, name, value, subscription_no', of: 'workspace_no' },
    { name: 'verified_host', key: 'workspace_no, host', of: 'workspace_no' },
    { name: 'request_answer', key: 'workspace_id, key', of: 'workspace_id' },
    { name: 'audit_entry', key: 'chain, no, hash', of: 'chain' },
    { name: 'audit_chain', key: 'chain', of: 'chain' },
  ]

/** Some rows to be erased, as SQL after FROM, with its parameters. */
export type Rows = { table: ErasedTable; from: string; bound: readonly (string | number)[] }

/** The first rows of some subscriptions in a table. */
export function rowsOfSubscriptions(table: ErasedTable, nos: readonly number[], limit: number): Rows {
  const from = `json_each(?1) s CROSS JOIN ${table.name} x ON x.subscription_no = s.value LIMIT ?2`
  return { table, from, bound: [JSON.stringify(nos), limit] }
}

/** The first rows of a workspace in a table. */
export function rowsOfWorkspace(
  table: (typeof WORKSPACE_TABLES)[number],
  { no, id }: { no: number; id: string },
  limit: number,
): Rows {
  const from = `${table.name} x WHERE x.${table.of} = ?1 LIMIT ?2`
  return { table, from, bound: [table.of === 'workspace_no' ? no : id, limit] }
}

/** The first events of a workspace. */
export function firstEvents(workspaceNo: number, limit: number): Rows {
  const from = `event x WHERE x.pk > (?1 << ${SEQ_BITS}) AND x.pk <= (?1 << ${SEQ_BITS}) | ${SEQ_MAX} ORDER BY x.pk LIMIT ?2`
  return {
    table: { name: 'event', key: 'pk', object: 'body_key', counted: 'events' },
    from,
    bound: [workspaceNo, limit],
  }
}

/**
 * The batches of a workspace among those of a stretch of numbers. Ended ones have no index by subscription, so all of the
 * last day's are looked at once.
 */
export function batchesBetween(
  workspaceNo: number,
  { aboveNo, untilNo }: { aboveNo: number; untilNo: number },
): Rows {
  const from = `batch x WHERE x.no > ?2 AND x.no <= ?3
    AND EXISTS (SELECT 1 FROM subscription s WHERE s.no = x.subscription_no AND s.workspace_no = ?1)`
  const table = { name: 'batch', key: 'no', object: 'body_key' }
  return { table, from, bound: [workspaceNo, aboveNo, untilNo] }
}

/** Reads the end of a stretch of batches above a number; null where there are none. */
export async function lastBatchNo(db: D1Database, aboveNo: number, limit: number): Promise<number | null> {
  return await db
    .prepare('SELECT max(no) AS no FROM (SELECT no FROM batch WHERE no > ?1 ORDER BY no LIMIT ?2)')
    .bind(aboveNo, limit)
    .first<number>('no')
}

/** Reads the keys of the objects that some rows name. */
export async function objectKeys(db: D1Database, { table, from, bound }: Rows): Promise<string[]> {
  if (table.object === undefined) return []
  const { results } = await db
    .prepare(`SELECT x.${table.object} AS key FROM ${from}`)
    .bind(...bound)
    .all<{ key: string | null }>()
  return results.flatMap(({ key }) => (key === null ? [] : [key]))
}

/** Removes some rows of each table in one transaction. Answers how many of each there were. */
export async function removeRows(db: D1Database, parts: readonly Rows[]): Promise<number[]> {
  const results = await db.batch(
    parts.map(({ table: { name, key }, from, bound }) => {
      const columns = key.split(', ').map((column) => `x.${column}`)
      return db
        .prepare(`DELETE FROM ${name} WHERE (${key}) IN (SELECT ${columns.join(', ')} FROM ${from})`)
        .bind(...bound)
    }),
  )
  return results.map(({ meta }) => meta.changes)
}
