import { addedIn, STATISTIC_COLUMNS, summed } from '../statistics.sql.ts'

const COLUMNS = STATISTIC_COLUMNS.join(', ')
const DAY_HOURS = 24

/** The newest hour of the workspace's own rows: those above it are still to be added. */
const NEWEST = '(SELECT coalesce(max(r.hour), 0) FROM workspace_statistic r WHERE r.workspace_no = ?1)'

/** The oldest hour of claims that are not rolled up yet: to those below it nothing is added any more. */
const IN_CLAIMS = '(SELECT min(c.value ->> 1) FROM claim k, json_each(k.settled) c)'

const ADD_HOURS = `INSERT INTO workspace_statistic (workspace_no, hour, ${COLUMNS})
SELECT s.workspace_no, t.hour, ${summed((name) => `t.${name}`)}
FROM subscription s INDEXED BY subscription_workspace CROSS JOIN statistic t ON t.subscription_no = s.no
  AND t.hour > ${NEWEST} AND t.hour < min(?2, coalesce(${IN_CLAIMS}, ?2))
WHERE s.workspace_no = ?1 GROUP BY t.hour`
// The newest hour stays as it is, or the hours up to it would be added again.
const OLD = `FROM workspace_statistic WHERE workspace_no = ?1 AND hour < min(?2, ${NEWEST}) AND hour % ${DAY_HOURS} <> 0`
const ADD_DAYS = `INSERT INTO workspace_statistic (workspace_no, hour, ${COLUMNS})
SELECT workspace_no, hour - hour % ${DAY_HOURS}, ${summed((name) => name)} ${OLD} GROUP BY 1, 2
ON CONFLICT (workspace_no, hour) DO UPDATE SET ${addedIn('workspace_statistic')}`
const REMOVE = 'DELETE FROM workspace_statistic WHERE workspace_no = ?1 AND hour < ?2'

/** The ends of what is rolled up: hours that are over, those that are older than single hours are kept, and than any is. */
type RolledUp = { belowHour: number; daysBelowHour: number; removedBelowHour: number }

/**
 * The statements that add the hours of all subscriptions of a workspace up in rows of its own: once a day, a row an hour.
 * They come before `rollUpDays`, which moves hours that they have not seen below those that they have.
 */
export function rollUpWorkspace(
  db: D1Database,
  workspaceNo: number,
  { belowHour, daysBelowHour, removedBelowHour }: RolledUp,
): D1PreparedStatement[] {
  const days = [workspaceNo, daysBelowHour - (daysBelowHour % DAY_HOURS)] as const
  return [
    db.prepare(ADD_HOURS).bind(workspaceNo, belowHour),
    db.prepare(ADD_DAYS).bind(...days),
    db.prepare(`DELETE ${OLD}`).bind(...days),
    db.prepare(REMOVE).bind(workspaceNo, removedBelowHour),
  ]
}
