import type { SealOwner } from '../../base/secret/vault.ts'

/** A sealed text where it is stored: the row by number and column, and what it was sealed for. */
export type Seal = { no: number; column: string; owner: SealOwner; field: string; sealed: string }

/** A stretch of a table: what is sealed in it, and its last row; null at the table's end. */
type SealsPage = { seals: Seal[]; lastNo: number | null; rows: number }

const ROWS_PER_PAGE = 50
/** Kept answers may be large; a page ends after the one that fills it. */
const ANSWER_CHARS_PER_PAGE = 2_000_000

type SealedTable = {
  /** Reads rows above a number as `no`, `workspace_id`, `id`, and a column for each seal. */
  page: string
  /** The highest number; the table's rows are visited up to it. */
  last: string
  columns: Readonly<Record<string, { field: string; write: string }>>
}

const inColumn = (table: string, key: string, column: string) =>
  `UPDATE ${table} SET ${column} = ?2 WHERE ${key} = ?1 AND ${column} = ?3`

const subscriptionColumn = (column: string) => inColumn('subscription', 'no', column)

/** Every place of the database that holds sealed texts, in the order in which a rotation visits them. */
export const SEALED_TABLES: readonly SealedTable[] = [
  {
    page: `SELECT s.no, w.id AS workspace_id, s.id, s.secret_cipher, s.previous_secret_cipher, s.auth_cipher, s.signing_keys_cipher, s.config ->> '$.headersCipher' AS headers_cipher
      FROM subscription s LEFT JOIN workspace w ON w.no = s.workspace_no WHERE s.no > ?1 ORDER BY s.no LIMIT ${ROWS_PER_PAGE}`,
    last: 'SELECT max(no) FROM subscription',
    columns: {
      secret_cipher: { field: 'secret', write: subscriptionColumn('secret_cipher') },
      previous_secret_cipher: {
        field: 'previous_secret',
        write: subscriptionColumn('previous_secret_cipher'),
      },
      auth_cipher: { field: 'auth', write: subscriptionColumn('auth_cipher') },
      signing_keys_cipher: { field: 'signing_keys', write: subscriptionColumn('signing_keys_cipher') },
      headers_cipher: {
        field: 'headers',
        write: `UPDATE subscription SET config = json_set(config, '$.headersCipher', ?2) WHERE no = ?1 AND config ->> '$.headersCipher' = ?3`,
      },
    },
  },
  {
    page: `SELECT t.subscription_no AS no, w.id AS workspace_id, s.id, t.token_cipher FROM access_token t
      LEFT JOIN subscription s ON s.no = t.subscription_no LEFT JOIN workspace w ON w.no = s.workspace_no
      WHERE t.subscription_no > ?1 ORDER BY t.subscription_no LIMIT ${ROWS_PER_PAGE}`,
    last: 'SELECT max(subscription_no) FROM access_token',
    columns: {
      token_cipher: {
        field: 'access_token',
        write: inColumn('access_token', 'subscription_no', 'token_cipher'),
      },
    },
  },
  {
    page: `SELECT no, workspace_id, id, answer_cipher FROM (
      SELECT no, workspace_id, id, answer_cipher, sum(length(answer_cipher)) OVER (ORDER BY no) - length(answer_cipher) AS chars_before FROM (
        SELECT rowid AS no, workspace_id, 'request ' || workspace_id || ' ' || key AS id, answer_cipher FROM request_answer
        WHERE rowid > ?1 ORDER BY rowid LIMIT ${ROWS_PER_PAGE}))
      WHERE coalesce(chars_before, 0) < ${ANSWER_CHARS_PER_PAGE} ORDER BY no`,
    last: 'SELECT max(rowid) FROM request_answer',
    columns: {
      answer_cipher: { field: 'answer', write: inColumn('request_answer', 'rowid', 'answer_cipher') },
    },
  },
]

type Row = { no: number; workspace_id: string | null; id: string | null } & Record<string, string | null>

/** Reads the next rows of a table, above a number. */
export async function readSeals(
  db: D1Database,
  { page, columns }: SealedTable,
  aboveNo: number,
): Promise<SealsPage> {
  const { results } = await db.prepare(page).bind(aboveNo).all<Row>()
  const seals = results.flatMap((row) =>
    Object.entries(columns).flatMap(([column, { field }]) => {
      const sealed = row[column] ?? null
      const owner = { workspaceId: row.workspace_id ?? '', id: row.id ?? '' }
      return sealed === null ? [] : [{ no: row.no, column, owner, field, sealed }]
    }),
  )
  return { seals, lastNo: results.at(-1)?.no ?? null, rows: results.length }
}

/** The highest numbers of all tables, in their order: how far a rotation has to go. */
export async function lastNos(db: D1Database): Promise<number[]> {
  const columns = SEALED_TABLES.map(({ last }, n) => `coalesce((${last}), 0) AS t${n}`).join(', ')
  const row = await db.prepare(`SELECT ${columns}`).first<Record<string, number>>()
  return SEALED_TABLES.map((_, n) => row?.[`t${n}`] ?? 0)
}

/** Writes seals in the place of those they were made from, and leaves what was changed since. Answers how many it wrote. */
export async function replaceSeals(
  db: D1Database,
  { columns }: SealedTable,
  renewed: readonly { seal: Seal; sealed: string }[],
): Promise<number> {
  const statements = renewed.flatMap(({ seal: { no, column, sealed: before }, sealed }) => {
    const write = columns[column]?.write
    return write === undefined ? [] : [db.prepare(write).bind(no, sealed, before)]
  })
  if (statements.length === 0) return 0
  const results = await db.batch(statements)
  return results.filter(({ meta }) => meta.changes > 0).length
}
