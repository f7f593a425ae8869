import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { publish } from '../../../src/publish/publish.ts'
import { removeExpiredKeys } from '../../../src/retention/leftovers.sql.ts'
import { createRig, draft, type EventInput, freshStore } from '../../support/rig/builders.ts'
import { meterD1 } from '../../support/rig/d1-watch.ts'

const HOUR_MS = 3_600_000
type Rig = Awaited<ReturnType<typeof createRig>>

beforeEach(freshStore)

/** Events of one request under one key; null at a place whose event was refused before. */
async function publishList(rig: Rig, events: readonly (EventInput | null)[], key = 'once') {
  const items = events.flatMap((event, place) =>
    event === null ? [] : [{ draft: draft(event), idempotencyKey: key, place }],
  )
  return await publish(rig.publishDeps, rig.workspace, items)
}

async function kinds(rig: Rig, events: readonly (EventInput | null)[], key?: string): Promise<string> {
  return (await publishList(rig, events, key)).map(({ kind }) => kind).join(' ')
}

const list = (count: number): EventInput[] => Array.from({ length: count }, (_, n) => ({ data: { n } }))
const times = (kind: string, count: number) => Array.from({ length: count }, () => kind).join(' ')

async function count(table: string): Promise<number> {
  return (await env.DB.prepare(`SELECT count(*) AS n FROM ${table}`).first<number>('n')) ?? -1
}

test('the key of a request takes one row for all of its events', async () => {
  const { db, meter } = meterD1(env.DB)
  const rig = await createRig({ db })
  await rig.publish(...list(10))
  const before = meter.rowsWritten
  await rig.publish(...list(10))
  const plain = meter.rowsWritten - before
  expect(await kinds(rig, list(10))).toBe(times('accepted', 10))
  expect(meter.rowsWritten - before - plain).toBe(plain + 1)
  expect(await count('event_key')).toBe(1)
})

describe('a request again under its key', () => {
  test('is a duplicate of itself, with the first ids and what they matched', async () => {
    const rig = await createRig()
    await rig.subscribe()
    const first = await publishList(rig, list(6))
    await rig.subscribe()
    const again = await publishList(rig, list(6))
    const ids = first.map((outcome) => (outcome.kind === 'accepted' ? outcome.id : ''))
    expect(new Set(ids).size).toBe(6)
    expect(again).toEqual(ids.map((id) => ({ kind: 'duplicate', id, matched: 1 })))
    expect(await count('event')).toBe(6)
  })

  test('with other content at a place is in conflict there', async () => {
    const rig = await createRig()
    await publishList(rig, list(5))
    const changed = list(5).with(3, { data: { n: 33 } })
    expect(await kinds(rig, changed)).toBe('duplicate duplicate duplicate conflict duplicate')
    expect(await count('event')).toBe(5)
  })

  test('with more events or fewer counts for each place', async () => {
    const rig = await createRig()
    await publishList(rig, list(4))
    expect(await kinds(rig, list(6))).toBe(`${times('duplicate', 4)} ${times('accepted', 2)}`)
    expect(await kinds(rig, list(6))).toBe(times('duplicate', 6))
    expect(await kinds(rig, list(2))).toBe(times('duplicate', 2))
    expect(await kinds(rig, [{ data: { n: 9 } }])).toBe('conflict')
    expect(await count('event')).toBe(6)
  })

  test('takes the events that were refused before, once', async () => {
    const rig = await createRig()
    const [a, b, c, d, e, f] = list(6)
    const partly = [a, null, c, d, null, f] as EventInput[]
    expect(await kinds(rig, partly)).toBe(times('accepted', 4))
    const all = [a, b, c, d, e, f] as EventInput[]
    const second = await publishList(rig, all)
    expect(second.map(({ kind }) => kind)).toEqual([
      ...['duplicate', 'accepted', 'duplicate', 'duplicate', 'accepted', 'duplicate'],
    ])
    const third = await publishList(rig, all)
    expect(third.map((outcome) => 'id' in outcome && outcome.id)).toEqual(
      second.map((outcome) => 'id' in outcome && outcome.id),
    )
    expect(await count('event')).toBe(6)
  })

  test('finds what was published when every place had a row of its own', async () => {
    const rig = await createRig()
    // So few have them still.
    await publishList(rig, list(3))
    expect(await count('event_key')).toBe(3)
    expect(await kinds(rig, list(7))).toBe(`${times('duplicate', 3)} ${times('accepted', 4)}`)
    expect(await kinds(rig, list(7))).toBe(times('duplicate', 7))
    expect(await count('event')).toBe(7)
  })

  test.each([
    ['known just before', 24 * HOUR_MS - 1, times('conflict', 5)],
    ['forgotten once', 24 * HOUR_MS + 1, times('accepted', 5)],
  ])('is %s 24 hours have passed', async (_, ageMs, expected) => {
    const rig = await createRig()
    await publishList(rig, list(5))
    rig.clock.nowMs += ageMs
    const others = list(5).map(() => ({ data: { other: 1 } }))
    expect(await kinds(rig, others)).toBe(expected)
    rig.clock.nowMs += 23 * HOUR_MS
    expect(await kinds(rig, others)).toBe(times(ageMs > 24 * HOUR_MS ? 'duplicate' : 'accepted', 5))
  })

  test('does not make what waits wait twice', async () => {
    const rig = await createRig()
    await rig.subscribe({ ordered: true })
    await publishList(rig, list(5))
    expect(await count('delivery')).toBe(5)
    expect(await kinds(rig, list(5))).toBe(times('duplicate', 5))
    expect(await count('delivery')).toBe(5)
  })
})

test('of many requests under one key at once, on two isolates, each place is accepted once', async () => {
  const a = await createRig()
  const b = await createRig({ workspace: a.workspace, world: a.world })
  const sizes = [8, 3, 5, 8, 2, 6, 8, 4, 7, 8]
  const all = await Promise.all(
    sizes.flatMap((size) => [publishList(a, list(size)), publishList(b, list(size))]),
  )
  const accepted = all.flat().filter(({ kind }) => kind === 'accepted')
  expect(accepted).toHaveLength(8)
  expect(all.flat().filter(({ kind }) => kind === 'duplicate')).toHaveLength(2 * 59 - 8)
  expect(await count('event')).toBe(8)
})

test('an own id beside the key of a request is a key of its event still', async () => {
  const rig = await createRig()
  const own = list(5).with(2, { id: 'order-1', data: { n: 2 } })
  expect(await kinds(rig, own)).toBe(times('accepted', 5))
  expect(await kinds(rig, list(5))).toBe(times('duplicate', 5))
  expect(await kinds(rig, [{ id: 'order-1', data: { n: 2 } }], 'another')).toBe('duplicate')
})

test('a request that names own ids, under a key that another has taken, takes none of them', async () => {
  const rig = await createRig()
  await publishList(rig, list(5))
  const own = list(5).map((event, n) => ({ ...event, id: `order-${n}` }))
  expect(await kinds(rig, own)).toBe(times('duplicate', 5))
  expect(await kinds(rig, [{ id: 'order-3', data: { n: 4 } }], 'another')).toBe('accepted')
})

test('a request that met an old configuration takes no key under it', async () => {
  const a = await createRig()
  const b = await createRig({ workspace: a.workspace, world: a.world })
  await a.publish({})
  await b.subscribe()
  expect(await publishList(a, list(5))).toMatchObject(list(5).map(() => ({ kind: 'accepted', matched: 1 })))
  expect(await count('event_key')).toBe(1)
})

test('the key of a request goes with the other expired ones', async () => {
  const rig = await createRig()
  await publishList(rig, list(5))
  const page = { workspaceNo: rig.workspaceNo, aboveKey: 'k:', keyFloor: Number.MAX_SAFE_INTEGER, limit: 10 }
  expect(await removeExpiredKeys(env.DB, page)).toEqual({ lastKey: null, removed: 1 })
})
