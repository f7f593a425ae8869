import type { DayUse } from './shared-use.ts'

const CREATE = `CREATE TABLE IF NOT EXISTS day_use (
  subject TEXT NOT NULL,
  isolate TEXT NOT NULL,
  day INTEGER NOT NULL,
  accepted INTEGER NOT NULL,
  PRIMARY KEY (subject, isolate)
) STRICT, WITHOUT ROWID`

type Row = { subject: string; isolate: string; day: number; accepted: number }

/** A limiter's own storage: what each isolate has accepted of each subject on its newest day. */
export class DayUseTable {
  readonly #sql: SqlStorage

  constructor(sql: SqlStorage) {
    this.#sql = sql
  }

  create(): void {
    this.#sql.exec(CREATE)
  }

  read(): DayUse[] {
    return this.#sql.exec<Row>('SELECT subject, isolate, day, accepted FROM day_use ORDER BY day').toArray()
  }

  /** Writes one row, and those of earlier days away once a day. */
  write({ subject, isolate, day, accepted }: DayUse): void {
    this.#sql.exec('DELETE FROM day_use WHERE subject = ?1 AND day < ?2', subject, day)
    this.#sql.exec(
      `INSERT INTO day_use (subject, isolate, day, accepted) VALUES (?1, ?2, ?3, ?4)
       ON CONFLICT (subject, isolate) DO UPDATE SET day = excluded.day, accepted = excluded.accepted`,
      subject,
      isolate,
      day,
      accepted,
    )
  }
}
