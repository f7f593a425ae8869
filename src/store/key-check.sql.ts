import type { SealOwner } from '../base/secret/vault.ts'

/** Texts by which a key is known: the check value, and one secret where there is no check value yet. */
export type KeyMarks = {
  check: string | null
  secret: (SealOwner & { sealed: string }) | null
}

const MARKS = `SELECT (SELECT nullif(sealed, '') FROM key_check WHERE no = 1) AS "check",
  EXISTS (SELECT 1 FROM key_check WHERE no = 1) AS is_known`
const NEWEST_SECRET = `SELECT w.id AS "workspaceId", s.id, s.secret_cipher AS sealed FROM subscription s JOIN workspace w ON w.no = s.workspace_no
WHERE s.secret_cipher IS NOT NULL ORDER BY s.no DESC LIMIT 1`

/** Reads what the key is known by. Both are null in a new database, and where the operator has let go of the old key. */
export async function readKeyMarks(db: D1Database): Promise<KeyMarks> {
  const marks = await db.prepare(MARKS).first<{ check: string | null; is_known: number }>()
  const check = marks?.check ?? null
  if (marks?.is_known === 1) return { check, secret: null }
  return { check, secret: await db.prepare(NEWEST_SECRET).first<SealOwner & { sealed: string }>() }
}

/** Keeps the check value, unless another isolate was faster. */
export async function saveKeyCheck(db: D1Database, sealed: string): Promise<void> {
  await db
    .prepare(
      `INSERT INTO key_check (no, sealed) VALUES (1, ?1) ON CONFLICT (no) DO UPDATE SET sealed = excluded.sealed WHERE sealed = ''`,
    )
    .bind(sealed)
    .run()
}

/** Keeps another check value in the place of the one there is. */
export async function replaceKeyCheck(db: D1Database, sealed: string): Promise<void> {
  await db
    .prepare(
      'INSERT INTO key_check (no, sealed) VALUES (1, ?1) ON CONFLICT (no) DO UPDATE SET sealed = excluded.sealed',
    )
    .bind(sealed)
    .run()
}
