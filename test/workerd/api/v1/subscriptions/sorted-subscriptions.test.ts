import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import { STANDINGS } from '../../../../../src/subscription/overview/standing.ts'
import { expectInvalid } from '../../../../support/process/http-client.ts'
import { answer, createRig } from '../../../../support/rig/builders.ts'
import { meterD1 } from '../../../../support/rig/d1-watch.ts'
import { clientOf } from '../../../../support/rig/rig-client.ts'

type Row = {
  id: string
  health: string
  url: string
  lastDay: { delivered: number; failed: number; successRate: number | null; hours: { delivered: number }[] }
}

/** A workspace with a subscription of each health, of which two have had deliveries. */
async function workspace() {
  const { db, meter } = meterD1(env.DB)
  const rig = await createRig({ db })
  const client = clientOf(rig)
  const healthy = await rig.subscribe({ name: 'Billing', events: ['a'] })
  const failing = await rig.subscribe({
    description: 'of a partner',
    events: ['a', 'b'],
    retryPolicy: { schedule: [] },
  })
  const unproven = await rig.subscribe({ health: 'unproven', events: ['none'] })
  const slow = await rig.subscribe({ health: 'suspect', events: ['none'] })
  const paused = await rig.subscribe({ events: ['none'] })
  const disabled = await rig.subscribe({ events: ['none'] })
  await client.post(`/webhooks/${paused.id}/pause`)
  await client.post(`/webhooks/${disabled.id}/disable`)
  rig.receivers.set(failing.settings.url, answer(404))
  await rig.publish({ type: 'a' }, { type: 'a' }, { type: 'b' })
  await rig.drain()
  const list = async (query = '') => {
    const { status, text, data } = await client.get<Row[]>(`/webhooks${query}`)
    expect(status, text).toBe(200)
    return data
  }
  const ids = async (query: string) => (await list(query)).map(({ id }) => id)
  return { client, meter, list, ids, healthy, failing, unproven, slow, paused, disabled }
}

describe('GET /webhooks', () => {
  test('finds those that stand in one way, as each of them says itself', async () => {
    const { list, healthy, failing, unproven, slow, paused, disabled } = await workspace()
    const expected = { healthy, failing, unproven, slow, paused, disabled }
    for (const health of STANDINGS) {
      const found = await list(`?health=${health}`)
      expect(found.map(({ id, health: own }) => [id, own])).toEqual([[expected[health].id, health]])
    }
  })

  test('sorts by what failed, by rate and by deliveries, in pages that hold each once', async () => {
    const { client, ids, healthy, failing } = await workspace()
    expect((await ids('?sort=failures'))[0]).toBe(failing.id)
    expect((await ids('?sort=rate')).slice(0, 2)).toEqual([failing.id, healthy.id])
    expect((await ids('?sort=deliveries'))[0]).toBe(healthy.id)
    expect(await ids('?sort=created')).toEqual(await ids(''))
    const paged = await client.all<Row>('/webhooks?sort=rate', 2)
    expect(paged.map(({ id }) => id)).toEqual(await ids('?sort=rate'))
  })

  test('finds by id, name, description and URL, in any case', async () => {
    const { ids, healthy, failing } = await workspace()
    expect(await ids('?q=bill')).toEqual([healthy.id])
    expect(await ids('?q=PARTNER')).toEqual([failing.id])
    expect(await ids(`?q=${failing.id.slice(8, 20)}`)).toEqual([failing.id])
    expect(await ids(`?q=${new URL(failing.settings.url).hostname}&health=failing`)).toEqual([failing.id])
  })

  test('does not find by what is masked in a URL', async () => {
    const { client, ids } = await workspace()
    const { id } = await client.subscribe({ url: 'https://hooks.slack.com/services/T0/B0/s3cr3tpart' })
    expect(await ids('?q=hooks.slack.com')).toEqual([id])
    expect(await ids('?q=s3cr3tpart')).toEqual([])
  })

  test('shows the last 24 hours of each', async () => {
    const { list, failing, healthy } = await workspace()
    const byId = new Map((await list()).map((row) => [row.id, row.lastDay]))
    expect(byId.get(failing.id)).toMatchObject({ delivered: 0, failed: 3, successRate: 0 })
    const { hours, ...day } = byId.get(healthy.id)!
    expect(day).toMatchObject({ delivered: 2, failed: 0, successRate: 100 })
    expect(hours.map(({ delivered }) => delivered)).toEqual([...new Array<number>(23).fill(0), 2])
  })

  test('asks D1 as often for a hundred as for one', async () => {
    const { client, meter, list } = await workspace()
    const callsOf = async (query: string) => {
      const before = meter.calls
      await list(query)
      return meter.calls - before
    }
    await list()
    const few = [await callsOf('?limit=100'), await callsOf('?limit=100&sort=rate')]
    for (let i = 0; i < 90; i++) await client.subscribe({ events: ['none'] })
    expect([await callsOf('?limit=100'), await callsOf('?limit=100&sort=rate')]).toEqual(few)
  })

  test.each([
    ['health', 'health=well', /failing/],
    ['sort', 'sort=name', /rate/],
    ['q', 'q=', /empty/],
    ['cursor', 'sort=rate&cursor=bm9wZQ', /nextCursor/],
  ])('refuses %s in ?%s', async (name, query, message) => {
    const { client } = await workspace()
    expectInvalid(await client.get(`/webhooks?${query}`), name, message)
  })
})
