import type { Posthorn } from '../posthorn.ts'
import type { NewEvent } from '../publish/new-event.ts'
import { type D1Like, type D1StatementLike, d1Store } from './d1.ts'
import { type Draining, drain } from './drain.ts'
import { newRow } from './enqueue.ts'
import { type PostgresLike, postgresStore, queryPostgres } from './postgres.ts'
import { OutboxRelay, type OutboxRelayOptions } from './relay.ts'
import type { OutboxStore } from './row.ts'
import { type SqliteLike, sqliteStore } from './sqlite.ts'
import { postgresStatements, sqliteStatements } from './statements.ts'

/** The name of the table where none is given. */
const TABLE = 'posthorn_outbox'

export type OutboxOptions = {
  /** Default `posthorn_outbox`; the lease is in a second table of this name and `_lease`. */
  table?: string
}

/** An outbox: events are written by the publisher's own transactions, and published from there. */
class Outbox {
  protected readonly store: OutboxStore

  constructor(store: OutboxStore) {
    this.store = store
  }

  /** Creates the tables where there are none. */
  async createTables(): Promise<void> {
    await this.store.createTables()
  }

  /** Publishes what is committed, in order, until it is stopped. */
  relay(posthorn: Posthorn, options?: OutboxRelayOptions): OutboxRelay {
    return new OutboxRelay({ store: this.store, posthorn }, options)
  }

  /** Publishes what is committed now, and ends: for a cron trigger. Does nothing while a relay loop has the lease. */
  async drain(posthorn: Posthorn, options?: OutboxRelayOptions): Promise<Draining> {
    return await drain({ store: this.store, posthorn }, options)
  }
}

/** An outbox in Postgres, by `pg` or `postgres`. */
export class PostgresOutbox extends Outbox {
  readonly #insert: string

  constructor(db: PostgresLike, { table = TABLE }: OutboxOptions = {}) {
    super(postgresStore(db, table))
    this.#insert = postgresStatements(table).insert
  }

  /** Writes an event within a transaction: it is published if that is committed, and only then. Answers its id. */
  async enqueue(tx: PostgresLike, event: NewEvent): Promise<string> {
    const { id, body } = newRow(event)
    await queryPostgres(tx, this.#insert, [id, body])
    return id
  }
}

/** An outbox in SQLite, by `better-sqlite3` or `node:sqlite`. */
export class SqliteOutbox extends Outbox {
  readonly #insert: string

  constructor(db: SqliteLike, { table = TABLE }: OutboxOptions = {}) {
    super(sqliteStore(db, table))
    this.#insert = sqliteStatements(table).insert
  }

  /** Writes an event within the transaction that the database is in. Answers its id. */
  enqueue(db: SqliteLike, event: NewEvent): string {
    const { id, body } = newRow(event)
    db.prepare(this.#insert).run(id, body)
    return id
  }
}

/** An outbox in D1. */
export class D1Outbox extends Outbox {
  readonly #insert: string

  constructor(db: D1Like, { table = TABLE }: OutboxOptions = {}) {
    super(d1Store(db, table))
    this.#insert = sqliteStatements(table).insert
  }

  /** The statement that writes an event, for the same `db.batch()` as the change that it tells of. */
  enqueue<S>(db: { prepare(text: string): D1StatementLike<S> }, event: NewEvent): S {
    const { id, body } = newRow(event)
    return db.prepare(this.#insert).bind(id, body)
  }
}
