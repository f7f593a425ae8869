import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { Relay } from '../../../src/relay.ts'
import { atFullCount } from '../../support/full-count.ts'
import { appOf, Client, expectRefusal } from '../../support/process/http-client.ts'
import { clientWith, expire, type ShownKey } from '../../support/process/keys.ts'
import { createRig } from '../../support/rig/builders.ts'
import { stallD1, writesEvents } from '../../support/rig/d1-watch.ts'

const event = { event: 'a', data: {} }

/** Two isolates over one database, which both have the key's workspace cached. */
type Isolates = { owner: Client; key: ShownKey; one: Client; two: Client }

async function isolates(db?: D1Database): Promise<Isolates> {
  const [first, second] = [await createRig(db === undefined ? {} : { db }), await createRig()]
  const owner = new Client(first.workspace)
  const user = await clientWith(owner, { role: 'publisher' })
  const one = clientOf(first.relay, owner, user.shown)
  const two = clientOf(second.relay, owner, user.shown)
  for (const client of [one, two]) expect((await client.post('/events', event)).status).toBe(202)
  return { owner, key: user.shown, one, two }
}

function clientOf(relay: Relay, { workspace }: Client, { key }: ShownKey): Client {
  return new Client(workspace, { target: appOf(() => ({ ok: true, relay })), key })
}

async function storedEvents(workspace: string): Promise<number> {
  const sql = 'SELECT count(*) AS n FROM event WHERE pk >> 44 = (SELECT no FROM workspace WHERE id = ?1)'
  return (await env.DB.prepare(sql).bind(workspace).first<number>('n')) ?? -1
}

let shared: Isolates
beforeEach(async () => {
  shared = await isolates()
})

describe('on isolates that have the key cached', () => {
  test('no publish is accepted once DELETE has answered, and nothing is stored', async () => {
    const { owner, key, one, two } = shared
    const before = await storedEvents(owner.workspace)
    expect((await owner.call('DELETE', `/keys/${key.id}`)).status).toBe(200)
    for (const client of [one, two, one]) {
      expectRefusal(await client.post('/events', event), 401, 'unauthorized')
      expectRefusal(await client.post('/events', { events: [event, event] }), 401, 'unauthorized')
    }
    expect(await storedEvents(owner.workspace)).toBe(before)
  })

  test('an expired key publishes no more', async () => {
    const { key, one, two } = shared
    await expire(key)
    for (const client of [one, two]) expectRefusal(await client.post('/events', event), 401, 'unauthorized')
  })

  test('a key that has lost the scope is told so', async () => {
    const { owner, key, one, two } = shared
    await owner.call('PATCH', `/keys/${key.id}`, { json: { role: 'viewer' } })
    for (const client of [one, two]) {
      const refused = await client.post('/events', event)
      expectRefusal(refused, 403, 'forbidden')
      expect(refused.error.message).toContain('events:publish')
    }
  })

  test('a key that has gained the scope publishes at once', async () => {
    const { owner, key, one, two } = shared
    await owner.call('PATCH', `/keys/${key.id}`, { json: { role: 'viewer' } })
    expect((await one.post('/events', event)).status).toBe(403)
    await owner.call('PATCH', `/keys/${key.id}`, { json: { role: 'publisher' } })
    for (const client of [one, two]) expect((await client.post('/events', event)).status).toBe(202)
  })

  test('a key that may be used from elsewhere only is refused here', async () => {
    const { owner, key, one, two } = shared
    await owner.call('PATCH', `/keys/${key.id}`, { json: { allowedIps: ['192.0.2.0/24'] } })
    const headers = { 'CF-Connecting-IP': '192.0.2.7' }
    for (const client of [one, two]) {
      expectRefusal(await client.post('/events', event), 403, 'forbidden')
      expect((await client.post('/events', event, { headers })).status).toBe(202)
    }
  })

  test('of two secrets the old one ends with its overlap, the new one is good at once', async () => {
    const { owner, key, one, two } = shared
    const { data: rotated } = await owner.post<ShownKey>(`/keys/${key.id}/rotate`, { overlapSeconds: 60 })
    const headers = { Authorization: `Bearer ${rotated.key}` }
    for (const client of [one, two]) {
      expect((await client.post('/events', event)).status).toBe(202)
      expect((await client.post('/events', event, { headers })).status).toBe(202)
    }
    await owner.post(`/keys/${key.id}/rotate`, { overlapSeconds: 0 })
    for (const client of [one, two]) expectRefusal(await client.post('/events', event), 401, 'unauthorized')
  })

  test('every other call is refused as well', async () => {
    const { owner, key, one } = shared
    await owner.call('PATCH', `/keys/${key.id}`, { json: { role: 'integration-administrator' } })
    expect((await one.get('/webhooks')).status).toBe(200)
    await owner.call('DELETE', `/keys/${key.id}`)
    expectRefusal(await one.get('/webhooks'), 401, 'unauthorized')
    expectRefusal(
      await one.post('/dispatch', { ...event, url: 'https://r.example.com' }),
      401,
      'unauthorized',
    )
  })
})

test('a publish whose insert meets the revocation is refused: it is committed before, or not at all', async () => {
  let isArmed = false
  const stall = stallD1(env.DB, (call) => isArmed && writesEvents(call))
  const { owner, key, one } = await isolates(stall.db)
  const before = await storedEvents(owner.workspace)
  isArmed = true
  const publishing = one.post('/events', event)
  await stall.stalled
  await owner.call('DELETE', `/keys/${key.id}`)
  stall.release()
  expectRefusal(await publishing, 401, 'unauthorized')
  expect(await storedEvents(owner.workspace)).toBe(before)
})

const PUBLISHERS = atFullCount(300, { short: 40 })

test('of hundreds in flight on two isolates none that begins after DELETE has answered is accepted', async () => {
  const { owner, key, one, two } = shared
  const before = await storedEvents(owner.workspace)
  const all: { isLate: boolean; accepted: number }[] = []
  let isRevoked = false
  const publisher = async (client: Client, n: number) => {
    // Every third sends several at once.
    const body = n % 3 === 0 ? { events: [event, event] } : event
    for (let late = 0; late < 2; ) {
      const isLate = isRevoked
      const { status } = await client.post('/events', body)
      expect([202, 401]).toContain(status)
      all.push({ isLate, accepted: status === 202 ? (n % 3 === 0 ? 2 : 1) : 0 })
      if (isLate) late++
    }
  }
  const publishing = Array.from({ length: 2 * PUBLISHERS }, (_, n) => publisher(n % 2 === 0 ? one : two, n))
  await vi.waitFor(() => expect(all.length).toBeGreaterThan(PUBLISHERS), { timeout: 20_000, interval: 1 })
  expect((await owner.call('DELETE', `/keys/${key.id}`)).status).toBe(200)
  isRevoked = true
  await Promise.all(publishing)
  const late = all.filter(({ isLate }) => isLate)
  expect(late).toHaveLength(4 * PUBLISHERS)
  expect(late.filter(({ accepted }) => accepted > 0)).toEqual([])
  // One that was in flight was committed, and answered so, or is nowhere.
  const accepted = all.reduce((sum, each) => sum + each.accepted, 0)
  expect((await storedEvents(owner.workspace)) - before).toBe(accepted)
})
