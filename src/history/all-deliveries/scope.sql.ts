/** Subscriptions of one statement; of a workspace that has more, the newest. */
const SUBSCRIPTIONS_MAX = 10_000

/** The parts of a workspace that its deliveries are looked for in. */
export type WorkspaceScope = {
  workspaceNo: number
  /** Every delivery of an event up to here has a row. */
  sweptSeq: number
  /** Those asked for, or all that deliveries are owed to: deleted subscriptions and targets of dispatches too. */
  subscriptionNos: readonly number[]
  /** Subscriptions that replays have given events whose fan-out does not name them. */
  backfilledNos: number[]
}

const SUBSCRIPTIONS = `(SELECT json_group_array(x.no) FROM (SELECT s.no FROM subscription s INDEXED BY subscription_workspace
  WHERE s.workspace_no = w.no ORDER BY s.no DESC LIMIT ${SUBSCRIPTIONS_MAX}) x)`
const BACKFILLED = `(SELECT json_group_array(DISTINCT r.subscription_no) FROM replay r INDEXED BY replay_backfill
  WHERE r.workspace_no = w.no AND r.config ->> 'backfill' = 1)`

/** Reads the parts of a workspace; null where it does not exist. Of some subscriptions it costs the same however many there are. */
export async function readScope(
  db: D1Database,
  workspaceId: string,
  subscriptionNos: readonly number[] | null,
): Promise<WorkspaceScope | null> {
  const subscriptions = subscriptionNos === null ? SUBSCRIPTIONS : "'[]'"
  const row = await db
    .prepare(
      `SELECT w.no, w.swept_seq, ${subscriptions} AS subscriptions, ${BACKFILLED} AS backfilled FROM workspace w WHERE w.id = ?1`,
    )
    .bind(workspaceId)
    .first<{ no: number; swept_seq: number; subscriptions: string; backfilled: string }>()
  if (row === null) return null
  return {
    workspaceNo: row.no,
    sweptSeq: row.swept_seq,
    subscriptionNos: subscriptionNos ?? (JSON.parse(row.subscriptions) as number[]),
    backfilledNos: JSON.parse(row.backfilled) as number[],
  }
}
