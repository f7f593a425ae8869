import { STATISTIC_COLUMNS, summed } from '../statistics.sql.ts'

const COLUMNS = STATISTIC_COLUMNS.join(', ')
const ADDED = STATISTIC_COLUMNS.map((name) =>
  name === 'last_delivery_at_ms'
    ? `${name} = max(${name}, excluded.${name})`
    : `${name} = ${name} + excluded.${name}`,
).join(', ')

const DAY_HOURS = 24

/** Hours that nothing is added to any more: claims are rolled up within minutes. */
const ADD_HOURS = `INSERT INTO workspace_statistic (workspace_no, hour, ${COLUMNS})
SELECT s.workspace_no, t.hour, ${summed((name) => `t.${name}`)}
FROM subscription s INDEXED BY subscription_workspace CROSS JOIN statistic t ON t.subscription_no = s.no
  AND t.hour >= 1 + (SELECT coalesce(max(r.hour), 0) FROM workspace_statistic r WHERE r.workspace_no = ?1) AND t.hour < ?2
WHERE s.workspace_no = ?1 GROUP BY t.hour`
const OLD = `FROM workspace_statistic WHERE workspace_no = ?1 AND hour < ?2 AND hour % ${DAY_HOURS} <> 0`
const ADD_DAYS = `INSERT INTO workspace_statistic (workspace_no, hour, ${COLUMNS})
SELECT workspace_no, hour - hour % ${DAY_HOURS}, ${summed((name) => name)} ${OLD} GROUP BY 1, 2
ON CONFLICT (workspace_no, hour) DO UPDATE SET ${ADDED}`
const REMOVE = 'DELETE FROM workspace_statistic WHERE workspace_no = ?1 AND hour < ?2'

/** The ends of what is rolled up: hours that are over, those that are older than single hours are kept, and than any is. */
type RolledUp = { belowHour: number; daysBelowHour: number; removedBelowHour: number }

/** The statements that add the hours of all subscriptions of a workspace up in rows of its own: once a day, a row an hour. */
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
