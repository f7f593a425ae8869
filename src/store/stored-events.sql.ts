import { SEQ_BITS, timeOfSeq } from '../base/ids/seq.ts'

/** SQL for the number of a workspace's events above `swept_seq` up to ?2; ?1 is the workspace. */
const SWEPT_EVENTS = `(SELECT count(*) FROM event e
  WHERE e.pk > (?1 << ${SEQ_BITS}) | workspace.swept_seq AND e.pk <= (?1 << ${SEQ_BITS}) | ?2)`

/** SQL that counts them in; null, and nothing is read, where the workspace's stored events are not counted. */
export const COUNT_SWEPT = `stored_events = iif(stored_events IS NULL, NULL, stored_events + ${SWEPT_EVENTS})`

/** Events of restored archives are not counted, as their bytes are not. */
const COUNT_ALL = `UPDATE workspace SET stored_events = (SELECT count(*) FROM event e
  WHERE e.pk > (?1 << ${SEQ_BITS}) | workspace.purged_seq AND e.pk <= (?1 << ${SEQ_BITS}) | workspace.swept_seq AND e.restored_at_ms IS NULL)
WHERE no = ?1 AND stored_events IS NULL`

/** A workspace's stored events, and the second up to which all that were accepted are among them. */
type StoredEvents = { events: number; untilSecond: number }

/** Times of numbers, and of answers to commits, are this far apart at most. */
const MARGIN_MS = 2_000

/**
 * Reads how many events a workspace has stored, as sweeps and purges have counted them: one row. The first
 * time, the workspace's events are counted once, and from then on as they come and go.
 */
export async function readStoredEvents(db: D1Database, workspaceNo: number): Promise<StoredEvents | null> {
  const known = await find(db, workspaceNo)
  if (known === null || known.events !== null) return known as StoredEvents | null
  await db.prepare(COUNT_ALL).bind(workspaceNo).run()
  return (await find(db, workspaceNo)) as StoredEvents | null
}

async function find(
  db: D1Database,
  workspaceNo: number,
): Promise<{ events: number | null; untilSecond: number } | null> {
  const row = await db
    .prepare('SELECT stored_events AS events, swept_seq AS sweptSeq FROM workspace WHERE no = ?1')
    .bind(workspaceNo)
    .first<{ events: number | null; sweptSeq: number }>()
  if (row === null) return null
  return { events: row.events, untilSecond: Math.ceil((timeOfSeq(row.sweptSeq) + MARGIN_MS) / 1000) }
}
