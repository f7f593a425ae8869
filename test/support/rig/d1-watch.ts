/** One round trip to D1: the SQL of its statements. */
export type D1Call = { sql: readonly string[] }

/** Runs a call, or stalls it, or fails it before or after it has taken effect. */
export type Around = (call: D1Call, run: () => Promise<D1Result[]>) => Promise<D1Result[]>

class WatchedStatement {
  readonly inner: D1PreparedStatement
  readonly sql: string
  readonly #around: Around

  constructor(inner: D1PreparedStatement, sql: string, around: Around) {
    this.inner = inner
    this.sql = sql
    this.#around = around
  }

  bind(...values: unknown[]): WatchedStatement {
    return new WatchedStatement(this.inner.bind(...values), this.sql, this.#around)
  }

  async all(): Promise<D1Result> {
    const [result] = await this.#around({ sql: [this.sql] }, async () => [await this.inner.all()])
    return result as D1Result
  }

  run(): Promise<D1Result> {
    return this.all()
  }

  async first(column?: string): Promise<unknown> {
    const row = (await this.all()).results[0] as Record<string, unknown> | undefined
    if (row === undefined) return null
    return column === undefined ? row : row[column]
  }
}

/** The real database, with every round trip going through `around`. */
export function watchD1(db: D1Database, around: Around): D1Database {
  const watched = {
    prepare: (sql: string) => new WatchedStatement(db.prepare(sql), sql, around),
    batch: (statements: WatchedStatement[]) =>
      around({ sql: statements.map(({ sql }) => sql) }, () => db.batch(statements.map(({ inner }) => inner))),
  }
  return watched as unknown as D1Database
}

/** Rows that D1 says it has read and written, as it bills them. */
export type Meter = { rowsRead: number; rowsWritten: number; calls: number }

/** A database that adds up what it is asked for. */
export function meterD1(db: D1Database): { db: D1Database; meter: Meter } {
  const meter: Meter = { rowsRead: 0, rowsWritten: 0, calls: 0 }
  const around: Around = async (_, run) => {
    const results = await run()
    meter.calls++
    for (const { meta } of results) {
      meter.rowsRead += meta.rows_read
      meter.rowsWritten += meta.rows_written
    }
    return results
  }
  return { db: watchD1(db, around), meter }
}

/** A database whose next call that `matches` waits at a gate, before it is run. */
export function stallD1(
  db: D1Database,
  matches: (call: D1Call) => boolean,
): { db: D1Database; stalled: Promise<void>; release: () => void } {
  const stalled = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  let isOpen = false
  const around: Around = async (call, run) => {
    if (!isOpen && matches(call)) {
      isOpen = true
      stalled.resolve()
      await gate.promise
    }
    return await run()
  }
  return { db: watchD1(db, around), stalled: stalled.promise, release: gate.resolve }
}

/** Whether a call writes events. */
export function writesEvents({ sql }: D1Call): boolean {
  return sql.some((text) => text.includes('INSERT INTO event ('))
}

/** The database of an isolate that can be killed: it answers nothing more from then on. */
export function mortalDb(db: D1Database): { db: D1Database; kill: () => void } {
  let isDead = false
  const watched = watchD1(db, async (_, run) =>
    isDead ? await new Promise<never>(() => undefined) : await run(),
  )
  const kill = () => {
    isDead = true
  }
  return { db: watched, kill }
}
