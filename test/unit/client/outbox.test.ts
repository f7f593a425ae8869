/// <reference types="node" />
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Posthorn } from '../../../packages/client/src/index.ts'
import { D1Outbox, SqliteOutbox } from '../../../packages/client/src/outbox/index.ts'
import { fake } from '../../../packages/client/src/testing/index.ts'
import { invalid, Journal, ok, refused, type Seen, StubRelay } from './stub-relay.ts'

const event = (n: number, more: object = {}) => ({ event: 'order.created', data: { n }, ...more })
const many = (count: number) => Array.from({ length: count }, (_, n) => n)

let db: DatabaseSync
let outbox: SqliteOutbox
let relay: StubRelay
let journal: Journal
let posthorn: Posthorn

beforeEach(async () => {
  db = new DatabaseSync(':memory:')
  outbox = new SqliteOutbox(db)
  await outbox.createTables()
  journal = new Journal()
  relay = await StubRelay.start((seen) => journal.publish(seen))
  posthorn = new Posthorn({ url: relay.url, key: 'k', retries: { firstDelayMs: 1, maxDelayMs: 2 } })
})
afterEach(async () => {
  await relay.close()
  db.close()
})

const rows = () => db.prepare('SELECT no, id, body, rejected FROM posthorn_outbox ORDER BY no').all()
const enqueue = (count: number) => many(count).map((n) => outbox.enqueue(db, event(n)))

describe('an event in the outbox', () => {
  test('is there with the transaction, and not without it', () => {
    for (const end of ['ROLLBACK', 'COMMIT']) {
      db.exec('BEGIN')
      outbox.enqueue(db, event(1))
      db.exec(end)
    }
    expect(rows()).toHaveLength(1)
  })

  test('has an id and a time from the start, so that it is the same one however often it is sent', () => {
    outbox.enqueue(db, event(1))
    expect(outbox.enqueue(db, event(2, { id: 'order-2', timestamp: '2026-01-01T00:00:00Z' }))).toBe('order-2')
    const [made, own] = rows().map(({ body }) => JSON.parse(String(body)) as Record<string, unknown>)
    expect(made).toMatchObject({
      id: expect.stringMatching(/^ob_[0-9a-f]{32}$/),
      timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
      data: { n: 1 },
    })
    expect(own).toEqual({ ...event(2), id: 'order-2', timestamp: '2026-01-01T00:00:00Z' })
  })

  test.each([
    ['type', { event: 'invoice..paid' }],
    ['type', { event: 'a.'.repeat(70) }],
    ['id', { id: 'with.dot' }],
    ['data', { data: [] }],
  ])('that could never be published fails the transaction: %s %j', (_, wrong) => {
    expect(() => outbox.enqueue(db, { ...event(1), ...wrong })).toThrow(TypeError)
    expect(rows()).toEqual([])
  })
})

describe('draining', () => {
  test('publishes in order, by ids instead of keys, and leaves nothing', async () => {
    const ids = enqueue(250)
    expect(await outbox.drain(posthorn)).toEqual({ published: 250, rejected: 0, isLeftToOther: false })
    expect(journal.accepted).toEqual(ids)
    expect(rows()).toEqual([])
    expect(relay.seen).toHaveLength(3)
    expect(relay.seen.filter(({ headers }) => 'idempotency-key' in headers)).toEqual([])
    expect(db.prepare('SELECT * FROM posthorn_outbox_lease').all()).toEqual([])
  })

  test('sets an event aside that is refused for good, and goes on', async () => {
    const ids = enqueue(3)
    relay.answer = (seen) => rejecting(seen, ids[1], 'invalid_request')
    const told: unknown[] = []
    const onRejected = (rejected: { id: string }) => told.push(rejected.id)
    expect(await outbox.drain(posthorn, { onRejected })).toMatchObject({ published: 2, rejected: 1 })
    expect(rows()).toMatchObject([{ id: ids[1], rejected: 'is refused' }])
    expect(told).toEqual([ids[1]])
    expect(await outbox.drain(posthorn)).toMatchObject({ published: 0, rejected: 0 })
  })

  test('keeps what a limit or a fault of the relay holds up', async () => {
    const ids = enqueue(3)
    relay.answer = (seen) => rejecting(seen, ids[1], 'rate_limited')
    await expect(outbox.drain(posthorn)).rejects.toMatchObject({ code: 'rate_limited' })
    expect(rows()).toMatchObject([{ id: ids[1], rejected: null }])
    relay.answer = () => refused(401, 'unauthorized')
    await expect(outbox.drain(posthorn)).rejects.toMatchObject({ code: 'unauthorized' })
    expect(rows()).toHaveLength(1)
  })

  test('leaves the table to another one that has it, until its lease is over', async () => {
    enqueue(1)
    const hold = (untilMs: number) =>
      db
        .prepare('INSERT OR REPLACE INTO posthorn_outbox_lease VALUES (?, ?, ?)')
        .run('publish', 'other', untilMs)
    hold(Date.now() + 60_000)
    expect(await outbox.drain(posthorn)).toMatchObject({ published: 0, isLeftToOther: true })
    expect(relay.seen).toEqual([])
    hold(Date.now())
    expect(await outbox.drain(posthorn)).toMatchObject({ published: 1, isLeftToOther: false })
  })

  test('repeats what was accepted before a crash without doubling it', async () => {
    const ids = enqueue(5)
    await outbox.drain(posthorn)
    for (const body of relay.seen.map((seen) => JSON.parse(seen.body) as { events: { id: string }[] })) {
      for (const each of body.events) {
        db.prepare('INSERT INTO posthorn_outbox (id, body) VALUES (?, ?)').run(each.id, JSON.stringify(each))
      }
    }
    expect(await outbox.drain(posthorn)).toMatchObject({ published: 5 })
    expect(journal.accepted).toEqual(ids)
  })

  test('sets nothing aside for a head that is refused', async () => {
    enqueue(3)
    relay.answer = () => invalid('X-Company-Id')
    await expect(outbox.drain(posthorn)).rejects.toMatchObject({ code: 'invalid_request' })
    expect(rows()).toMatchObject([{ rejected: null }, { rejected: null }, { rejected: null }])
    expect(relay.seen).toHaveLength(1)
  })

  test('ends where a relay gives fewer results than it got events', async () => {
    const ids = enqueue(3)
    relay.answer = () => ok({ events: [{ id: ids[0], status: 'accepted', matched: 0 }] })
    await expect(outbox.drain(posthorn)).rejects.toMatchObject({ code: 'unexpected_answer' })
    expect(rows()).toMatchObject([{ id: ids[1] }, { id: ids[2] }])
    expect(relay.seen).toHaveLength(1)
  })

  test('removes more rows at once than D1 binds parameters', async () => {
    const ids = enqueue(250)
    const drained = await new D1Outbox(likeD1()).drain(posthorn, { batchRows: 250 })
    expect(drained).toMatchObject({ published: 250 })
    expect(journal.accepted).toEqual(ids)
    expect(rows()).toEqual([])
  })

  test('publishes to a fake as to a relay', async () => {
    enqueue(2)
    const faked = fake()
    await outbox.drain(faked)
    expect(faked.assertPublished('order.created', ({ data }) => data['n'] === 1)).toBeDefined()
  })
})

describe('a relay loop', () => {
  test('publishes what comes, at once where it is woken, and stops', async () => {
    const loop = outbox.relay(posthorn, { pollMs: 60_000 })
    const ids = enqueue(2)
    loop.wake()
    await expect.poll(() => journal.accepted).toEqual(ids)
    await loop.stop()
    enqueue(1)
    loop.wake()
    expect(rows()).toHaveLength(1)
    expect(db.prepare('SELECT * FROM posthorn_outbox_lease').all()).toEqual([])
  })

  test('looks again by itself, also after a fault, of which it tells', async () => {
    const errors: unknown[] = []
    relay.answer = (seen, no) => (no === 1 ? refused(503, 'unavailable') : journal.publish(seen))
    const ids = enqueue(1)
    const loop = outbox.relay(posthorn, { pollMs: 10, onError: (error) => errors.push(error) })
    await expect.poll(() => journal.accepted, { timeout: 5_000 }).toEqual(ids)
    ids.push(...enqueue(1))
    await expect.poll(() => journal.accepted).toEqual(ids)
    await loop.stop()
    expect(errors).toMatchObject([{ code: 'unavailable' }])
  })

  test('goes on where onError throws, and says so', async () => {
    const said = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    relay.answer = (seen, no) => (no === 1 ? refused(503, 'unavailable') : journal.publish(seen))
    const ids = enqueue(1)
    const onError = () => {
      throw new Error('the log is full')
    }
    const loop = outbox.relay(posthorn, { pollMs: 10, onError })
    await expect.poll(() => journal.accepted, { timeout: 5_000 }).toEqual(ids)
    await loop.stop()
    expect(said.mock.calls.flat()).toContainEqual(new Error('the log is full'))
    said.mockRestore()
  })

  test('waits after a fault for as long as Retry-After says', async () => {
    relay.answer = (seen, no) =>
      no === 1 ? refused(429, 'rate_limited', { 'Retry-After': '2' }) : journal.publish(seen)
    const ids = enqueue(1)
    const startedAt = performance.now()
    const loop = outbox.relay(posthorn, { pollMs: 10, onError: () => undefined })
    await expect.poll(() => journal.accepted, { timeout: 5_000 }).toEqual(ids)
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(1_990)
    await loop.stop()
  })

  test('of several at once keeps the order, even where each believes that the table is its own', async () => {
    const ids = enqueue(300)
    const loops = [1, 2, 3].map(() => outbox.relay(posthorn, { pollMs: 5, batchRows: 7, leaseMs: -1 }))
    ids.push(...enqueue(200))
    await expect.poll(() => rows().length, { timeout: 10_000 }).toBe(0)
    await Promise.all(loops.map((loop) => loop.stop()))
    expect(journal.accepted).toEqual(ids)
  })
})

test('a table of another name is created and used; one that would have to be quoted is refused', async () => {
  const other = new SqliteOutbox(db, { table: 'shop_outbox' })
  await other.createTables()
  other.enqueue(db, event(1))
  expect(db.prepare('SELECT count(*) AS n FROM shop_outbox').get()).toEqual({ n: 1 })
  expect(() => new SqliteOutbox(db, { table: 'x; DROP TABLE y' })).toThrow(TypeError)
})

/** The database as D1 gives it: a statement binds 100 parameters at most. */
function likeD1() {
  const prepare = (text: string) => ({
    bind: (...values: (string | number)[]) => {
      if (values.length > 100) throw new Error('D1_ERROR: too many SQL variables')
      return {
        run: async () => db.prepare(text).run(...values),
        all: async () => ({ results: db.prepare(text).all(...values) }),
      }
    },
  })
  return { prepare }
}

/** Refuses one event of a request, and accepts the others. */
function rejecting({ body }: Seen, id: string | undefined, code: string) {
  const { events } = JSON.parse(body) as { events: { id: string }[] }
  const results = events.map((each) =>
    each.id === id
      ? { status: 'rejected', error: { code, message: 'is refused' } }
      : { id: each.id, status: 'accepted', matched: 0 },
  )
  return { status: 202, json: { success: true, data: { events: results } } }
}
