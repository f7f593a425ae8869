import { describe, expect, test } from 'vitest'
import {
  type Accepted,
  type Bulk,
  Client,
  concurrentClient,
  type Rejected,
} from '../../../../support/process/http-client.ts'
import { receivers } from '../../../../support/receivers/receivers.ts'

const good = (n: number) => ({ event: 'bulk.item', data: { n } })

describe('POST /events with several', () => {
  test('one bad event does not sink the others, and answers keep the order', async () => {
    const client = new Client()
    await client.subscribe({ url: receivers.url() })
    const events = [
      good(0),
      { event: 'not a type', data: {} },
      good(2),
      { event: 'bulk.item', data: [] },
      5,
      { ...good(5), id: 'five' },
    ]
    const { status, data } = await client.post<Bulk>('/events', { events })
    expect(status).toBe(202)
    expect(data.events.map((item) => item.status)).toEqual([
      ...['accepted', 'rejected', 'accepted', 'rejected', 'rejected', 'accepted'],
    ])
    expect(paths(data)).toEqual([null, 'events[1].event', null, 'events[3].data', 'events[4]', null])
    expect(data.events[5]).toEqual({ id: 'five', status: 'accepted', matched: 1 })
    const stored = await client.get<{ id: string }[]>('/events')
    const accepted = data.events.filter((item): item is Accepted => item.status === 'accepted')
    expect(stored.data.map(({ id }) => id)).toEqual(accepted.map(({ id }) => id).reverse())
  })

  test('a rejected event says what a refusal says, without a request id of its own', async () => {
    const { data } = await new Client().post<Bulk>('/events', { events: [{ event: 'a', data: 1, more: 2 }] })
    expect(data.events).toEqual([
      {
        status: 'rejected',
        error: {
          code: 'invalid_request',
          message: 'events[0].data: must be a JSON object (and 1 more; see details)',
          details: [
            { path: 'events[0].data', message: 'must be a JSON object' },
            { path: 'events[0].more', message: 'is not a field of this request' },
          ],
        },
      },
    ])
  })

  test('none of them right is still a 202 that rejects each', async () => {
    const { status, data } = await new Client().post<Bulk>('/events', { events: [{}, {}] })
    expect(status).toBe(202)
    expect(data.events.map((item) => item.status)).toEqual(['rejected', 'rejected'])
  })

  test('an id named twice in one request is decided by the first', async () => {
    const client = new Client()
    const events = [
      { ...good(1), id: 'a' },
      { ...good(1), id: 'a' },
      { ...good(2), id: 'a' },
      { ...good(3), id: 'b' },
    ]
    const { data } = await client.post<Bulk>('/events', { events })
    expect(data.events).toEqual([
      { id: 'a', status: 'accepted', matched: 0 },
      { id: 'a', status: 'duplicate', matched: 0 },
      { status: 'rejected', error: conflictOn('id') },
      { id: 'b', status: 'accepted', matched: 0 },
    ])
    expect((await client.get<{ id: string }[]>('/events')).data.map(({ id }) => id)).toEqual(['b', 'a'])
  })

  test('an id named in an earlier request is a duplicate or a conflict, and sinks nothing', async () => {
    const client = new Client()
    await client.publish({ ...good(1), id: 'a' })
    const events = [{ ...good(2), id: 'a' }, good(7), { ...good(1), id: 'a' }, { ...good(1), id: 'c' }]
    const { data } = await client.post<Bulk>('/events', { events })
    expect(data.events).toEqual([
      { status: 'rejected', error: conflictOn('id') },
      { id: expect.stringMatching(/^evt_/), status: 'accepted', matched: 0 },
      { id: 'a', status: 'duplicate', matched: 0 },
      { id: 'c', status: 'accepted', matched: 0 },
    ])
  })

  test('a first that is refused leaves the id to the next', async () => {
    const client = new Client()
    const events = [
      { event: 'a b', data: {}, id: 'x' },
      { ...good(1), id: 'x' },
    ]
    const { data } = await client.post<Bulk>('/events', { events })
    expect(data.events.map((item) => item.status)).toEqual(['rejected', 'accepted'])
  })

  test('two bulk publishes that share ids in opposite orders at once accept each id once', async () => {
    const client = concurrentClient()
    const events = Array.from({ length: 20 }, (_, i) => ({ ...good(i), id: `shared-${i}` }))
    const answers = await Promise.all(
      [events, [...events].reverse(), events].map((list) => client.post<Bulk>('/events', { events: list })),
    )
    const accepted = answers.flatMap(({ data }) => data.events.filter(({ status }) => status === 'accepted'))
    expect(accepted).toHaveLength(20)
    expect(new Set(accepted.map((item) => (item as Accepted).id)).size).toBe(20)
    expect(await client.all('/events', 100)).toHaveLength(20)
  })

  test.each([
    ['generated ids', false],
    ['own ids', true],
  ])('1,000 events with %s are all accepted, in order', async (_, own) => {
    const client = new Client()
    const events = Array.from({ length: 1000 }, (_, n) => ({ ...good(n), ...(own && { id: `own-${n}` }) }))
    const { data } = await client.post<Bulk>('/events', { events })
    const ids = (data.events as Accepted[]).map(({ id }) => id)
    expect(data.events.every(({ status }) => status === 'accepted')).toBe(true)
    expect(new Set(ids).size).toBe(1000)
    const stored = await client.all<{ id: string }>('/events', 100)
    expect(stored.map(({ id }) => id)).toEqual(ids.reverse())
  })

  test('1,000 events of 9 KB, committed in several parts, keep their order and places', async () => {
    const client = new Client()
    const pad = 'x'.repeat(9_000)
    const events = Array.from({ length: 1000 }, (_, n) => ({ event: 'bulk.item', data: { n, pad } }))
    const { status, data, text } = await client.post<Bulk>('/events', { events })
    expect(status, text.slice(0, 500)).toBe(202)
    const ids = (data.events as Accepted[]).map(({ id }) => id)
    const stored = await client.all<{ id: string }>('/events', 100)
    expect(stored.map(({ id }) => id)).toEqual([...ids].reverse())
    for (const n of [0, 499, 999]) {
      const shown = await client.get<{ payload: string }>(`/events/${ids[n]}`)
      expect(shown.data.payload).toContain(`"data":{"n":${n},`)
    }
  })

  test('an id named in two parts of one large request is a duplicate', async () => {
    const client = new Client()
    const big = { event: 'bulk.item', id: 'big', data: { pad: 'x'.repeat(50_000) } }
    const filler = Array.from({ length: 20 }, () => ({
      event: 'bulk.item',
      data: { pad: 'y'.repeat(50_000) },
    }))
    const { data } = await client.post<Bulk>('/events', { events: [big, ...filler, big] })
    expect(data.events[0]).toMatchObject({ id: 'big', status: 'accepted' })
    expect(data.events.at(-1)).toMatchObject({ id: 'big', status: 'duplicate' })
    expect(await client.all('/events', 100)).toHaveLength(21)
  })
})

function conflictOn(path: string) {
  const message = expect.stringMatching(/already used for another event/)
  return { code: 'conflict', message, details: [{ path, message }] }
}

function paths({ events }: Bulk): (string | null)[] {
  return events.map((item) => (item as Rejected).error?.details?.[0]?.path ?? null)
}
