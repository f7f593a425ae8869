import {
  COLUMNS,
  isOwnReplay,
  type Replay,
  type ReplayRow,
  toReplay,
  WITH_SUBSCRIPTION,
} from './replays.sql.ts'

/** Replays of the workspace that one page looks at. */
const EXAMINED_MAX = 1_000

/**
 * Reads a page of the replays of some subscriptions, newest first, below a number. It may end early, where it has looked
 * at many of others; the next one begins below `nextBelowNo`, null at the end.
 */
export async function listReplaysOf(
  db: D1Database,
  workspaceId: string,
  page: { belowNo: number; limit: number; subscriptionNos: readonly number[] },
): Promise<{ rows: Replay[]; nextBelowNo: number | null }> {
  const source = `FROM replay x INDEXED BY replay_workspace
    WHERE x.workspace_no = (SELECT no FROM workspace WHERE id = ?1) AND x.no < ?2 ORDER BY x.no DESC LIMIT ${EXAMINED_MAX}`
  const [found, examined] = await db.batch([
    db
      .prepare(
        `SELECT ${COLUMNS} FROM (SELECT x.* ${source}) r ${WITH_SUBSCRIPTION} WHERE ${isOwnReplay('?4')} ORDER BY r.no DESC LIMIT ?3`,
      )
      .bind(workspaceId, page.belowNo, page.limit, JSON.stringify(page.subscriptionNos)),
    db
      .prepare(`SELECT count(*) AS count, min(no) AS low FROM (SELECT x.no ${source})`)
      .bind(workspaceId, page.belowNo),
  ])
  const rows = ((found?.results ?? []) as ReplayRow[]).map(toReplay)
  const last = rows.at(-1)
  if (last !== undefined && rows.length === page.limit) return { rows, nextBelowNo: last.no }
  const [end] = (examined?.results ?? []) as { count: number; low: number | null }[]
  return { rows, nextBelowNo: end === undefined || end.count < EXAMINED_MAX ? null : end.low }
}
