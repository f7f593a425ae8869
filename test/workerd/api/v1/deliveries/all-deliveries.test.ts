import { describe, expect, test } from 'vitest'
import {
  Client,
  type DeliveryAnswer,
  expectInvalid,
  expectRefusal,
} from '../../../../support/process/http-client.ts'
import { receivers } from '../../../../support/receivers/receivers.ts'
import { answer, createRig } from '../../../../support/rig/builders.ts'
import { clientOf } from '../../../../support/rig/rig-client.ts'
import { dispatch, payloadOf, settled } from '../events/dispatches.ts'

/** A workspace with a receiver that works, one that fails and one that is paused, and three events. */
async function busyWorkspace() {
  const rig = await createRig()
  const client = clientOf(rig)
  const good = await rig.subscribe({ name: 'Good', description: 'All is well' })
  const bad = await rig.subscribe({ events: ['invoice.*'], retryPolicy: { schedule: [600] } })
  rig.receivers.set(bad.settings.url, answer(503))
  const paused = await rig.subscribe({ events: ['order.*'] })
  await client.post(`/webhooks/${paused.id}/pause`)
  await rig.publish(
    { id: 'e1', type: 'invoice.paid' },
    { id: 'e2', type: 'order.made' },
    { id: 'e3', type: 'invoice.paid' },
  )
  await rig.drain()
  const list = async (query = '') => {
    const { data, status, text } = await client.get<DeliveryAnswer[]>(`/deliveries${query}`)
    expect(status, text).toBe(200)
    return data
  }
  const ids = async (query: string) => (await list(query)).map((row) => [row.eventId, row['webhookId']])
  return { rig, client, good, bad, paused, list, ids }
}

describe('GET /deliveries', () => {
  test('lists those of all subscriptions, newest event first', async () => {
    const { ids, good, bad, paused } = await busyWorkspace()
    expect(await ids('')).toEqual([
      ['e3', bad.id],
      ['e3', good.id],
      ['e2', paused.id],
      ['e2', good.id],
      ['e1', bad.id],
      ['e1', good.id],
    ])
  })

  test('shows rows of the log, each with its subscription and in words', async () => {
    const { client, good, list } = await busyWorkspace()
    const row = (await list()).find((each) => each['webhookId'] === good.id)
    const { data: log } = await client.get<DeliveryAnswer[]>(`/webhooks/${good.id}/logs`)
    expect(row).toEqual({
      ...log[0],
      webhookName: 'Good',
      webhookDescription: 'All is well',
      acceptedAt: expect.stringMatching(/^2026-11-02T12:00/),
    })
    expect(row?.['summary']).toMatch(/^Delivered at the first attempt/)
  })

  test.each([
    ['?status=failed', ['e3', 'e1']],
    ['?status=success&event=invoice.*', ['e3', 'e1']],
    ['?responseCode=5xx', ['e3', 'e1']],
    ['?responseCode=503&event=order.made', []],
    ['?error=http_status', ['e3', 'e1']],
    ['?waiting=true', ['e3', 'e2', 'e1']],
    ['?status=pending', ['e2']],
    ['?blocked=true', []],
    ['?dateTo=2026-11-01', []],
  ])('%s finds %j', async (query, expected) => {
    const { ids } = await busyWorkspace()
    expect((await ids(query)).map(([eventId]) => eventId)).toEqual(expected)
  })

  test('takes several subscriptions by id', async () => {
    const { ids, bad, paused } = await busyWorkspace()
    expect(await ids(`?webhook=${bad.id},${paused.id}`)).toEqual([
      ['e3', bad.id],
      ['e2', paused.id],
      ['e1', bad.id],
    ])
  })

  test('goes on inside the fan-out of one event', async () => {
    const { client, list } = await busyWorkspace()
    const paged = await client.all<DeliveryAnswer>('/deliveries', 1)
    expect(paged).toEqual(await list())
  })

  test('shows what a deleted subscription was sent', async () => {
    const { client, good, ids } = await busyWorkspace()
    await client.call('DELETE', `/webhooks/${good.id}`)
    expect(await ids('?event=order.made')).toContainEqual(['e2', good.id])
  })

  test('shows a dispatch, which no log of a subscription has', async () => {
    const client = new Client()
    const url = receivers.url({ status: 200 })
    const { data } = await dispatch(client, payloadOf(url))
    await settled(client, data.deliveryId)
    const { data: rows } = await client.get<DeliveryAnswer[]>('/deliveries')
    expect(rows).toMatchObject([{ eventId: data.eventId, url, status: 'success', webhookName: null }])
  })

  test('shows nothing of another workspace', async () => {
    const { good } = await busyWorkspace()
    const other = new Client()
    expect((await other.get('/deliveries')).data).toEqual([])
    expectRefusal(await other.get(`/deliveries?webhook=${good.id}`), 404, 'not_found')
  })

  test.each([
    ['responseCode', '6xx', /503/],
    ['status', 'done', /pending/],
    ['blocked', 'yes', /true/],
    ['cursor', 'bm9wZQ', /nextCursor/],
    ['webhook', Array.from({ length: 21 }, (_, n) => `w${n}`).join(','), /20/],
  ])('refuses %s=%s', async (name, value, message) => {
    const { client } = await busyWorkspace()
    expectInvalid(await client.get(`/deliveries?${name}=${value}`), name, message)
  })

  test('refuses the cursor of another list', async () => {
    const { client } = await busyWorkspace()
    const { nextCursor } = await client.get('/events?limit=1')
    expectInvalid(await client.get(`/deliveries?cursor=${nextCursor}`), 'cursor', /nextCursor/)
  })
})
