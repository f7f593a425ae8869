import * as z from 'zod'

const progressShape = {
  /** The key that everything is to be sealed under. */
  keyId: z.string(),
  startedAtMs: z.number(),
  finishedAtMs: z.number().nullable(),
  /** Counts from 1: the last walk finds nothing that is to be sealed anew. */
  walk: z.number(),
  /** The table and the row up to which this walk has come. */
  table: z.number(),
  aboveNo: z.number(),
  /** What this walk has found that was not sealed under the key, and some key opens. */
  found: z.number(),
  examined: z.number(),
  resealed: z.number(),
  /** What no key opens, counted by this walk. */
  unreadable: z.number(),
}
const progressSchema = z.object(progressShape)

/** How far a rotation has come. */
export type Progress = z.infer<typeof progressSchema>

/** The stored progress with its text, by which a later one is written only in its place. */
type StoredProgress = { progress: Progress; text: string }

/** Reads the progress of the last rotation; null before the first. */
export async function readProgress(db: D1Database): Promise<StoredProgress | null> {
  const text = await db.prepare("SELECT report FROM job WHERE name = 'key-rotation'").first<string>('report')
  return text === null ? null : { progress: progressSchema.parse(JSON.parse(text)), text }
}

/** Keeps progress in the place of what it was made from; false where another request was faster. */
export async function keepProgress(
  db: D1Database,
  before: string | null,
  { progress, nowMs }: { progress: Progress; nowMs: number },
): Promise<boolean> {
  const row = await db
    .prepare(
      `INSERT INTO job (name, ran_at_ms, report) SELECT 'key-rotation', ?1, ?2
       WHERE (SELECT report FROM job WHERE name = 'key-rotation') IS ?3
       ON CONFLICT (name) DO UPDATE SET ran_at_ms = excluded.ran_at_ms, report = excluded.report RETURNING name`,
    )
    .bind(nowMs, JSON.stringify(progress), before)
    .first()
  return row !== null
}
