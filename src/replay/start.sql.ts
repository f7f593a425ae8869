import type { ReplayScope } from './replay.ts'
import {
  COLUMNS,
  IS_RUNNING,
  isOwnReplay,
  type Replay,
  type ReplayRow,
  type ReplaySpan,
  toReplay,
  WITH_SUBSCRIPTION,
} from './replays.sql.ts'

type NewReplay = {
  id: string
  workspaceNo: number
  subscriptionNo: number | null
  scope: ReplayScope
  span: ReplaySpan
  createdAtMs: number
}

/** Replays that may be running: of the workspace, and of the subscriptions that the caller is bound to. */
type RunningMax = { ofWorkspace: number; ofCaller: number; boundTo: readonly number[] | null }

/** The replay that was written; null where there was no room for it. */
export type WrittenReplay = { replay: Replay | null; isFullOfCaller: boolean }

const RUNNING = `(SELECT count(*) FROM replay INDEXED BY replay_running WHERE ${IS_RUNNING} AND workspace_no = ?2)`
const isFullOf = (workspaceNo: string, boundTo: string, most: string) =>
  `(SELECT count(*) FROM replay r INDEXED BY replay_running
  WHERE r.${IS_RUNNING} AND r.workspace_no = ${workspaceNo} AND ${isOwnReplay(boundTo)}) >= ${most}`

const INSERT = `INSERT INTO replay (id, workspace_no, subscription_no, config, cursor, until_seq, next_step_at_ms, created_at_ms)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7 WHERE ${RUNNING} < ?8`
// A request that is made again finds the replay that it has made.
const ONCE = 'ON CONFLICT (id) DO NOTHING'

/** Writes a replay that is due for its first step, unless as many as there may be are running. */
export async function insertReplay(
  db: D1Database,
  { id, workspaceNo, subscriptionNo, scope, span, createdAtMs }: NewReplay,
  { ofWorkspace, ofCaller, boundTo }: RunningMax,
): Promise<WrittenReplay> {
  const config = JSON.stringify(scope)
  const values = [id, workspaceNo, subscriptionNo, config, span.after, span.until, createdAtMs, ofWorkspace]
  const own = boundTo === null ? [] : [JSON.stringify(boundTo), ofCaller]
  const guard = boundTo === null ? '' : `AND NOT ${isFullOf('?2', '?9', '?10')}`
  const [, found] = await db.batch([
    db.prepare(`${INSERT} ${guard} ${ONCE}`).bind(...values, ...own),
    db.prepare(`SELECT ${COLUMNS} FROM replay r ${WITH_SUBSCRIPTION} WHERE r.id = ?1`).bind(id),
  ])
  const [row] = (found?.results ?? []) as ReplayRow[]
  if (row !== undefined) return { replay: toReplay(row), isFullOfCaller: false }
  return { replay: null, isFullOfCaller: await isFullOfCaller(db, workspaceNo, own) }
}

/** Finds out, for a caller who is bound, why there was no room. */
async function isFullOfCaller(
  db: D1Database,
  workspaceNo: number,
  own: readonly unknown[],
): Promise<boolean> {
  if (own.length === 0) return false
  const asked = db.prepare(`SELECT ${isFullOf('?1', '?2', '?3')} AS full`).bind(workspaceNo, ...own)
  return (await asked.first<number>('full')) === 1
}
