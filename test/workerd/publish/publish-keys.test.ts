import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { createRig, type EventInput } from '../../support/rig/builders.ts'

const HOUR_MS = 3_600_000

async function kinds(rig: Awaited<ReturnType<typeof createRig>>, ...events: EventInput[]): Promise<string[]> {
  return (await rig.publish(...events)).map((outcome) =>
    outcome.kind === 'conflict' ? `conflict on ${outcome.key}` : outcome.kind,
  )
}

async function eventCount(workspaceNo: number): Promise<number> {
  const count = env.DB.prepare('SELECT count(*) AS n FROM event WHERE pk >> 44 = ?1').bind(workspaceNo)
  return (await count.first<number>('n')) ?? -1
}

async function storedObjects(): Promise<number> {
  return (await env.BODIES.list()).objects.length
}

const SAME = { id: 'order-1', data: { total: 1 } }
const OTHER = { id: 'order-1', data: { total: 2 } }

test('the same content under an own id is a duplicate in a later request', async () => {
  const rig = await createRig()
  await rig.publish(SAME)
  expect(await kinds(rig, SAME)).toEqual(['duplicate'])
})

test('other content under an own id is in conflict in a later request', async () => {
  const rig = await createRig()
  await rig.publish(SAME)
  expect(await kinds(rig, OTHER)).toEqual(['conflict on id'])
})

test('an own id stays taken after years', async () => {
  const rig = await createRig()
  await rig.publish(SAME)
  rig.clock.nowMs += 3 * 365 * 24 * HOUR_MS
  expect(await kinds(rig, SAME, OTHER)).toEqual(['duplicate', 'conflict on id'])
})

test('an own id of one workspace is free in another', async () => {
  const [one, two] = [await createRig(), await createRig()]
  await one.publish(SAME)
  expect(await kinds(two, OTHER)).toEqual(['accepted'])
})

test('the first of several events in a request that share an own id decides about the others', async () => {
  const rig = await createRig()
  expect(await kinds(rig, SAME, {}, SAME, OTHER)).toEqual([
    'accepted',
    'accepted',
    'duplicate',
    'conflict on id',
  ])
})

test('events that repeat a key are stored once', async () => {
  const rig = await createRig()
  await rig.publish(SAME, {}, SAME, OTHER)
  expect(await eventCount(rig.workspaceNo)).toBe(2)
})

test('exactly one of many concurrent publishes of one own id is accepted', async () => {
  const rig = await createRig()
  const all = await Promise.all(Array.from({ length: 20 }, () => kinds(rig, SAME)))
  expect(all.flat().sort()).toEqual(['accepted', ...new Array(19).fill('duplicate')])
})

test('exactly one of two isolates that publish one own id at once is accepted', async () => {
  const a = await createRig()
  const b = await createRig({ workspace: a.workspace, world: a.world })
  const [one, two] = await Promise.all([kinds(a, SAME), kinds(b, OTHER)])
  expect([one, two].flat().sort()).toEqual(['accepted', 'conflict on id'])
})

test('a duplicate says how many subscriptions the first one matched', async () => {
  const rig = await createRig()
  await rig.subscribe()
  await rig.publish(SAME)
  await rig.subscribe()
  expect(await rig.publish(SAME)).toEqual([{ kind: 'duplicate', id: 'order-1', matched: 1 }])
})

test('a duplicate by Idempotency-Key names the id that was generated first', async () => {
  const rig = await createRig()
  const [first] = await rig.publish({ idempotencyKey: 'once' })
  const [second] = await rig.publish({ idempotencyKey: 'once' })
  expect(second).toMatchObject({ kind: 'duplicate', id: first?.kind === 'accepted' ? first.id : '' })
})

test('other content under an Idempotency-Key is in conflict', async () => {
  const rig = await createRig()
  await rig.publish({ idempotencyKey: 'once' })
  expect(await kinds(rig, { idempotencyKey: 'once', data: { other: 1 } })).toEqual([
    'conflict on Idempotency-Key',
  ])
})

test.each([
  ['still known just before', 24 * HOUR_MS - 1, 'conflict on Idempotency-Key'],
  ['forgotten', 24 * HOUR_MS + 1, 'accepted'],
])('an Idempotency-Key is %s 24 hours have passed', async (_, ageMs, kind) => {
  const rig = await createRig()
  await rig.publish({ idempotencyKey: 'once' })
  rig.clock.nowMs += ageMs
  expect(await kinds(rig, { idempotencyKey: 'once', data: { other: 1 } })).toEqual([kind])
})

test('an Idempotency-Key that was taken over belongs to its new event for 24 hours', async () => {
  const rig = await createRig()
  const other = { idempotencyKey: 'once', data: { other: 1 } }
  await rig.publish({ idempotencyKey: 'once' })
  rig.clock.nowMs += 25 * HOUR_MS
  await rig.publish(other)
  rig.clock.nowMs += 23 * HOUR_MS
  expect(await kinds(rig, other)).toEqual(['duplicate'])
})

test('an own id that looks like an Idempotency-Key is another name', async () => {
  const rig = await createRig()
  await rig.publish({ idempotencyKey: 'a' })
  expect(await kinds(rig, { id: 'a', data: { other: 1 } })).toEqual(['accepted'])
})

const BOTH = { id: 'both-id', idempotencyKey: 'both-key' }

test('an event with both keys is a duplicate by either', async () => {
  const rig = await createRig()
  await rig.publish(BOTH)
  expect(await kinds(rig, BOTH, { id: BOTH.id }, { idempotencyKey: BOTH.idempotencyKey })).toEqual([
    'duplicate',
    'duplicate',
    'duplicate',
  ])
})

test.each([
  ['own id', { id: 'both-id' }, { idempotencyKey: 'both-key' }],
  ['Idempotency-Key', { idempotencyKey: 'both-key' }, { id: 'both-id' }],
])('an event whose %s is taken does not take its other key', async (_, taken, other) => {
  const rig = await createRig()
  await rig.publish({ ...taken, data: { first: 1 } })
  await rig.publish({ ...BOTH, data: { refused: 1 } })
  expect(await kinds(rig, { ...other, data: { free: 1 } })).toEqual(['accepted'])
})

test('an event whose keys belong to two different events is stored neither way', async () => {
  const rig = await createRig()
  await rig.publish({ id: 'both-id' }, { idempotencyKey: 'both-key' })
  await rig.publish(BOTH)
  expect(await eventCount(rig.workspaceNo)).toBe(2)
})

test('an id that this relay could have generated for the workspace is refused', async () => {
  const rig = await createRig()
  const [first] = await rig.publish({})
  expect(await kinds(rig, { id: first?.kind === 'accepted' ? first.id : '' })).toEqual(['own_id_reserved'])
})

const LARGE = { id: 'large', data: { text: 'x'.repeat(100_000) } }

test('a text above 60,000 characters does not rest in D1', async () => {
  const rig = await createRig()
  await rig.publish(LARGE)
  const { results } = await env.DB.prepare('SELECT body, body_key FROM event WHERE pk >> 44 = ?1')
    .bind(rig.workspaceNo)
    .all<{ body: string | null; body_key: string | null }>()
  expect(results).toEqual([{ body: null, body_key: expect.any(String) }])
})

test('a large text is delivered whole', async () => {
  const rig = await createRig()
  const subscription = await rig.subscribe()
  await rig.publish(LARGE)
  await rig.drain()
  expect(rig.postsTo(subscription).map(({ body }) => JSON.parse(body).data)).toEqual([LARGE.data])
})

test('the text of a large duplicate is removed from R2', async () => {
  const rig = await createRig()
  await rig.publish(LARGE)
  const before = await storedObjects()
  await rig.publish(LARGE)
  await rig.publish({ ...LARGE, data: { text: 'y'.repeat(100_000) } })
  expect(await storedObjects()).toBe(before)
})

test('the texts of large repeats within one request are removed from R2', async () => {
  const rig = await createRig()
  const before = await storedObjects()
  await rig.publish({ ...LARGE, id: 'again' }, { ...LARGE, id: 'again' }, { ...LARGE, id: 'again' })
  expect(await storedObjects()).toBe(before + 1)
})
