// A shop that tells of its orders: a test starts it again and again, and has it killed at a step. DB is sqlite:<file> or
// a postgres:// url, KILL=<step>:<times> is where it dies, OUTBOX=off publishes after the commit instead.
import { DatabaseSync } from 'node:sqlite'
import { Posthorn } from 'posthorn'
import { PostgresOutbox, SqliteOutbox } from 'posthorn/outbox'

const { DB = '', DRIVER = 'pg', RELAY = '', KEY = '', WORKSPACE = '' } = process.env
const { ORDERS = '0', KILL = '', OUTBOX = 'on' } = process.env
const [killStep, killTimes = '1'] = KILL.split(':')
let passed = 0
/** True once every order is sold. */
let sold = false

/** Dies here as a machine that loses its power does, if it is the step and the time. */
function step(name) {
  if (name !== killStep || ++passed < Number(killTimes)) return
  process.kill(process.pid, 'SIGKILL')
}

const shop = DB.startsWith('sqlite:') ? await sqliteShop(DB.slice('sqlite:'.length)) : await postgresShop()
const posthorn = new Posthorn({
  url: RELAY,
  key: KEY,
  workspace: WORKSPACE,
  fetch: async (url, init) => {
    step('before the request')
    const response = await fetch(url, init)
    step('after the request')
    return response
  },
})

await shop.createTables()
if (OUTBOX === 'off') await sellAndPublish()
else await Promise.all([sell(), relayUntilDone()])
await shop.end()

async function sell() {
  for (let n = await shop.orders(); n < Number(ORDERS); n++) {
    step('before the commit')
    await shop.sell(n, true)
    step('after the commit')
  }
  sold = true
}

async function sellAndPublish() {
  for (let n = await shop.orders(); n < Number(ORDERS); n++) {
    await shop.sell(n, false)
    step('after the commit')
    await posthorn.events.publish(eventOf(n))
  }
}

async function relayUntilDone() {
  for (;;) {
    const isLast = sold
    // The lease of the one that was killed is not waited for.
    await shop.outbox.drain(posthorn, { batchRows: 20, leaseMs: -1 })
    if (isLast) return
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

function eventOf(n) {
  return { id: `order-${n}`, event: 'order.created', data: { n } }
}

/** The same database with steps around what the outbox reads and removes. */
function watched(text) {
  const kind = /^SELECT no/.test(text) ? 'read' : /^DELETE FROM \S+ WHERE no/.test(text) ? 'removal' : null
  return { before: () => kind && step(`before the ${kind}`), after: () => kind && step(`after the ${kind}`) }
}

async function sqliteShop(file) {
  const Database = DRIVER === 'better-sqlite3' ? (await import('better-sqlite3')).default : DatabaseSync
  const db = new Database(file)
  db.exec('PRAGMA journal_mode = WAL')
  const outbox = new SqliteOutbox({
    prepare(text) {
      const statement = db.prepare(text)
      const { before, after } = watched(text)
      const wrap =
        (run) =>
        (...values) => {
          before()
          const result = run.apply(statement, values)
          after()
          return result
        }
      return { all: wrap(statement.all), run: wrap(statement.run) }
    },
  })
  return {
    outbox,
    async createTables() {
      db.exec('CREATE TABLE IF NOT EXISTS orders (n INTEGER PRIMARY KEY)')
      await outbox.createTables()
    },
    async orders() {
      return db.prepare('SELECT count(*) AS count FROM orders').get().count
    },
    async sell(n, tells) {
      db.exec('BEGIN IMMEDIATE')
      db.prepare('INSERT INTO orders VALUES (?)').run(n)
      if (tells) outbox.enqueue(db, eventOf(n))
      step('within the transaction')
      db.exec('COMMIT')
    },
    async end() {
      db.close()
    },
  }
}

async function postgresShop() {
  const { query, transaction, end } = DRIVER === 'pg' ? await byPg() : await byPostgres()
  const outbox = new PostgresOutbox({
    async query(text, values) {
      const { before, after } = watched(text)
      before()
      const rows = await query(text, values)
      after()
      return { rows }
    },
  })
  return {
    outbox,
    end,
    async createTables() {
      await query('CREATE TABLE IF NOT EXISTS orders (n INTEGER PRIMARY KEY)', [])
      await outbox.createTables()
    },
    async orders() {
      return Number((await query('SELECT count(*) AS count FROM orders', []))[0].count)
    },
    async sell(n, tells) {
      await transaction(async (tx, insert) => {
        await insert(`INSERT INTO orders VALUES (${Number(n)})`)
        if (tells) await outbox.enqueue(tx, eventOf(n))
        step('within the transaction')
      })
    },
  }
}

async function byPg() {
  const { default: pg } = await import('pg')
  const pool = new pg.Pool({ connectionString: DB })
  return {
    query: async (text, values) => (await pool.query(text, values)).rows,
    async transaction(work) {
      const client = await pool.connect()
      await client.query('BEGIN')
      await work(client, (text) => client.query(text))
      await client.query('COMMIT')
      client.release()
    },
    end: () => pool.end(),
  }
}

async function byPostgres() {
  const { default: postgres } = await import('postgres')
  const sql = postgres(DB, { onnotice: () => undefined })
  return {
    query: (text, values) => sql.unsafe(text, values),
    transaction: (work) => sql.begin((tx) => work(tx, (text) => tx.unsafe(text))),
    end: () => sql.end(),
  }
}
