import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findPostgres, startPostgres } from '../../../bench/harness/databases.ts'
import { Processes } from '../../../bench/harness/processes.ts'
import {
  type PgLike,
  type PostgresLike,
  postgresStore,
  queryPostgres,
} from '../../../packages/client/src/outbox/postgres.ts'
import { installPackage, ROOT } from '../../support/built-package.ts'
import { atFullCount, isFullCount } from '../../support/full-count.ts'
import { RelayClient } from '../../support/process/relay-client.ts'
import { RelayProcess } from '../../support/process/relay-process.ts'
import { Receiver } from '../../support/receivers/receiver.ts'
import { hasTools } from '../support/required-tools.ts'
import { installLarge } from './large-tools.ts'

const ORDERS = atFullCount(1_000, { short: 600 })
/** Where the publisher dies, and at the how many-th time: in the sale, and in what the outbox does with it. */
const EVERY_STEP: readonly string[] = [
  ...['before the commit:17', 'within the transaction:20', 'after the commit:11'],
  ...['before the read:2', 'after the read:2', 'before the request:1', 'after the request:1'],
  ...['before the removal:1', 'after the removal:1'],
]
const AGAIN: readonly string[] = [
  ...['before the request:3', 'after the request:2', 'before the removal:2', 'after the removal:2'],
  ...['after the commit:29', 'within the transaction:1', 'before the read:1', 'after the read:3'],
]
const KILLS = atFullCount([...EVERY_STEP, ...AGAIN], { short: EVERY_STEP })
const PROGRAM = 'outbox-publisher.mjs'
const folder = mkdtempSync(path.join(tmpdir(), 'posthorn-outbox-'))
const processes = new Processes()
let relay: RelayProcess
let receiver: Receiver

beforeAll(async () => {
  receiver = await Receiver.start()
  await installPackage(path.join(folder, 'node_modules/posthorn'))
  for (const name of ['pg', 'postgres']) {
    symlinkSync(path.join(ROOT, 'node_modules', name), path.join(folder, 'node_modules', name))
  }
  if (isFullCount) {
    symlinkSync(installLarge('better-sqlite3'), path.join(folder, 'node_modules/better-sqlite3'))
  }
  cpSync(path.join(import.meta.dirname, PROGRAM), path.join(folder, PROGRAM))
  relay = await RelayProcess.start({ stateDir: path.join(folder, 'state') })
})

afterAll(async () => {
  await relay?.stop()
  await receiver?.close()
  await processes.stopAll()
  rmSync(folder, { recursive: true, force: true })
})

type Ended = { signal: string | null; output: string }

/** Runs the publisher until it has told of its orders, or was killed. */
async function publisher(workspace: string, env: Record<string, string>): Promise<Ended> {
  const settings = {
    RELAY: relay.url,
    KEY: relay.adminKey,
    WORKSPACE: workspace,
    NODE_NO_WARNINGS: '1',
    ...env,
  }
  return await new Promise((resolve) => {
    const options = { cwd: folder, env: { ...process.env, ...settings }, timeout: 60_000 }
    execFile(process.execPath, [PROGRAM], options, (error, stdout, stderr) => {
      resolve({ signal: (error?.signal as string | null) ?? null, output: stdout + stderr })
    })
  })
}

/** A workspace with one receiver, which gets every event in the order in which they were accepted. */
async function workspaceOf(name: string): Promise<string> {
  await new RelayClient(relay, name).subscribe({
    url: receiver.url(`/${name}`),
    events: ['*'],
    ordered: true,
  })
  return name
}

function arrived(workspace: string): string[] {
  return receiver.requests(`/${workspace}`).map(({ id }) => id)
}

const ordersUpTo = (count: number) => Array.from({ length: count }, (_, n) => `order-${n}`)

type Database = { name: string; url: () => Promise<string>; driver: (run: number) => string }

const SQLITE: Database = {
  name: 'sqlite',
  url: async () => `sqlite:${path.join(folder, 'shop.db')}`,
  driver: (run) => (isFullCount && run % 2 === 0 ? 'better-sqlite3' : 'node:sqlite'),
}
/** One server for all tests here. */
let postgresUrl: Promise<string> | null = null
function startedPostgres(): Promise<string> {
  const binaries = findPostgres()
  if (binaries === null) throw new Error('Postgres is not there')
  postgresUrl ??= startPostgres(processes, binaries)
  return postgresUrl
}

const POSTGRES: Database = {
  name: 'postgres',
  url: startedPostgres,
  // Both libraries, by turns.
  driver: (run) => (run % 2 === 0 ? 'pg' : 'postgres'),
}

type PgPool = PgLike & { end(): Promise<void> }
type Pg = { default: { Pool: new (options: { connectionString: string }) => PgPool } }

/** The database by one of the two libraries. */
async function connect(
  driver: 'pg' | 'postgres',
  url: string,
): Promise<{ db: PostgresLike; end: () => Promise<void> }> {
  if (driver === 'postgres') {
    const sql = postgres(url, { onnotice: () => undefined })
    return { db: sql, end: () => sql.end() }
  }
  // It brings no types.
  const { default: pg }: Pg = await import('pg' as string)
  const pool = new pg.Pool({ connectionString: url })
  return { db: pool, end: () => pool.end() }
}

/** Sells one thing, and ends once it is told of. */
const SELL = `import pg from 'pg'
const pool = new pg.Pool()
await pool.query('CREATE TABLE orders (id TEXT, total INTEGER)')
const { sell } = await import('./shop.mjs')
await sell({ id: 'order-1', total: 20 })
const left = async () => (await pool.query('SELECT 1 FROM posthorn_outbox')).rows.length
while ((await left()) > 0) await new Promise((resolve) => setTimeout(resolve, 20))
process.exit(0)
`

describe.each([SQLITE, POSTGRES])('a publisher with its outbox in $name', ({ name, url, driver }) => {
  if (name === 'postgres' && findPostgres() === null && !hasTools({ initdb: 'postgresql' })) return

  test(`that is killed at every step tells of each of ${ORDERS} orders once, in order`, async () => {
    const workspace = await workspaceOf(name)
    const DB = await url()
    for (const [run, kill] of KILLS.entries()) {
      const limits = { ORDERS: String(50 * (run + 1)), KILL: kill, DRIVER: driver(run) }
      const { signal, output } = await publisher(workspace, { DB, ...limits })
      expect(signal, `${kill}: ${output}`).toBe('SIGKILL')
    }
    const last = await publisher(workspace, { DB, ORDERS: String(ORDERS), DRIVER: driver(1) })
    expect(last).toEqual({ signal: null, output: '' })
    expect(await receiver.waitForDelivered(`/${workspace}`, ORDERS, 60_000)).toBe(true)
    expect(arrived(workspace)).toEqual(ordersUpTo(ORDERS))
  }, 240_000)
})

if (findPostgres() !== null)
  test.each(['pg', 'postgres'] as const)(
    '%s removes the rows of the outbox that it is told to, and no others',
    async (driver) => {
      const { db, end } = await connect(driver, await POSTGRES.url())
      const table = `outbox_of_${driver}`
      const store = postgresStore(db, table)
      await store.createTables()
      const fill = `INSERT INTO ${table} (id, body) SELECT 'e-' || n, '{}' FROM generate_series(1, 1200) n`
      await queryPostgres(db, fill, [])
      const rows = await store.oldest(1_200)
      await store.remove(rows.filter((_, n) => n % 3 > 0).map(({ no }) => no))
      await store.remove([])
      const left = rows.filter((_, n) => n % 3 === 0)
      expect(await store.oldest(1_200)).toEqual(left)
      await end()
    },
  )

if (findPostgres() !== null)
  test('the shop that docs/publish.md shows tells of what it sells', async () => {
    const page = readFileSync(path.join(ROOT, 'docs/publish.md'), 'utf8')
    const [, shop = ''] = /^```js\n(\/\/ shop\.mjs\n.*?)^```$/ms.exec(page) ?? []
    writeFileSync(path.join(folder, 'shop.mjs'), shop)
    writeFileSync(path.join(folder, 'sell.mjs'), SELL)
    await workspaceOf('default')
    const { hostname, port, username } = new URL(await POSTGRES.url())
    const env = { PGHOST: hostname, PGPORT: port, PGUSER: username, PGDATABASE: 'template1' }
    const settings = { ...env, POSTHORN_URL: relay.url, POSTHORN_KEY: relay.adminKey }
    const options = { cwd: folder, env: { ...process.env, ...settings }, timeout: 30_000 }
    await promisify(execFile)(process.execPath, ['sell.mjs'], options)
    expect(await receiver.waitForDelivered('/default', 1, 30_000)).toBe(true)
    expect(receiver.requests('/default').map(({ body }) => JSON.parse(String(body)))).toMatchObject([
      { event: 'order.created', data: { id: 'order-1', total: 20 } },
    ])
  })

test('without the outbox, the same publisher loses what it was killed over', async () => {
  const workspace = await workspaceOf('without')
  const DB = `sqlite:${path.join(folder, 'without.db')}`
  for (const sold of [3, 6, 9]) {
    const env = { DB, OUTBOX: 'off', ORDERS: '12', KILL: 'after the commit:3' }
    expect((await publisher(workspace, env)).signal, `${sold} orders`).toBe('SIGKILL')
  }
  expect((await publisher(workspace, { DB, OUTBOX: 'off', ORDERS: '12' })).signal).toBeNull()
  expect(await receiver.waitForDelivered(`/${workspace}`, 9, 30_000)).toBe(true)
  expect(arrived(workspace)).toEqual(
    ordersUpTo(12).filter((id) => !['order-2', 'order-5', 'order-8'].includes(id)),
  )
})
