import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { decodePublicId } from '../../../../../src/base/ids/public-id.ts'
import {
  type Accepted,
  type Bulk,
  type DeliveryAnswer,
  unhintedClient,
} from '../../../../support/process/http-client.ts'

/** A subscription with deliveries of a kind, as a consumer would have left them. */
async function delivered(count: number, { attempts, response }: { attempts: number; response: string }) {
  const client = unhintedClient()
  const { id } = await client.subscribe()
  const events = Array.from({ length: count }, () => ({ event: 'a', data: {} }))
  const { data } = await client.post<Bulk>('/events', { events })
  const ids = (data.events as Accepted[]).map((event) => event.id)
  const seqs = JSON.stringify(ids.map((eventId) => decodePublicId('evt_', eventId)?.seq))
  const inRow = response.length > 256 ? null : response
  const rows = `subscription s, json_each(?2) e WHERE s.id = ?1`
  const earlier = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?3 - 1) INSERT INTO attempt (subscription_no, seq, n, at_ms, status, error, response) SELECT s.no, e.value, n.i, 1700000000000, 500, 'http_status', ?4 FROM n, ${rows}`
  const last = `INSERT INTO delivery (subscription_no, seq, type, state, attempts, last_at_ms, status, error, response) SELECT s.no, e.value, 'a', 2, ?3, 1700000000000, 500, 'http_status', ?4 FROM ${rows}`
  await env.DB.prepare(last).bind(id, seqs, attempts, inRow).run()
  if (attempts > 1) await env.DB.prepare(earlier).bind(id, seqs, attempts, inRow).run()
  if (inRow === null) {
    const text = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?3) INSERT INTO response_text (subscription_no, seq, n, text) SELECT s.no, e.value, n.i, ?4 FROM n, ${rows}`
    await env.DB.prepare(text).bind(id, seqs, attempts, response).run()
  }
  const page = async (cursor = '') =>
    await client.get<DeliveryAnswer[]>(`/webhooks/${id}/logs?limit=1000${cursor && `&cursor=${cursor}`}`)
  return { client, page, newestFirst: ids.reverse(), path: `/webhooks/${id}/logs` }
}

const LONG = 'x'.repeat(1000)

test('a page of the log has as many rows as were asked for, up to 1,000', async () => {
  const { client, page, newestFirst, path } = await delivered(700, { attempts: 1, response: 'no' })
  const five = await client.get<DeliveryAnswer[]>(`${path}?limit=500`)
  expect(five.data.map(({ eventId }) => eventId)).toEqual(newestFirst.slice(0, 500))
  const whole = await page()
  expect([whole.data.length, whole.nextCursor]).toEqual([700, null])
})

test.each([
  ['long responses', 300, { attempts: 1, response: LONG }, 250],
  ['long responses to several attempts', 90, { attempts: 3, response: LONG }, 83],
  ['attempts', 60, { attempts: 100, response: 'no' }, 50],
])('a page ends early where it has too many %s, and the next goes on', async (_, count, kind, fitting) => {
  const { page, newestFirst } = await delivered(count, kind)
  const first = await page()
  expect(first.data).toHaveLength(fitting)
  const second = await page(String(first.nextCursor))
  expect(second.nextCursor).toBeNull()
  const rows = [...first.data, ...second.data]
  expect(rows.map(({ eventId }) => eventId)).toEqual(newestFirst)
  const texts = rows.flatMap((row) => [row, ...row.attempts]).map(({ responseBody }) => responseBody)
  expect(new Set(texts)).toEqual(new Set([kind.response]))
  expect(rows.every(({ attempts }) => attempts.length === kind.attempts)).toBe(true)
})

test('a delivery with more than a page holds is a page of its own', async () => {
  const { page } = await delivered(2, { attempts: 300, response: LONG })
  const first = await page()
  expect(first.data).toHaveLength(1)
  expect(first.data[0]?.attempts.map(({ responseBody }) => responseBody)).toEqual(Array(300).fill(LONG))
  const second = await page(String(first.nextCursor))
  expect([second.data.length, second.nextCursor]).toEqual([1, null])
})
