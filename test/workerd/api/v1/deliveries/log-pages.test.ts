import { env } from 'cloudflare:workers'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodePublicId } from '../../../../../src/base/ids/public-id.ts'
import { atFullCount } from '../../../../support/full-count.ts'
import {
  type Accepted,
  type Bulk,
  type DeliveryAnswer,
  unhintedClient,
} from '../../../../support/process/http-client.ts'

/** What a delivery has come to; `unrecorded` has no row yet. */
const FATES = ['unrecorded', 'pending', 'success', 'failed', 'skipped'] as const
type Fate = (typeof FATES)[number]
type Entry = { wanted: boolean; fate: Fate }

/** Writes the rows a consumer would have left. */
async function record(
  webhookId: string,
  entries: { seq: number; type: string; fate: Fate }[],
): Promise<void> {
  const state = (fate: Fate) => FATES.indexOf(fate) - 1
  const rows = entries.filter(({ fate }) => fate !== 'unrecorded')
  await env.DB.prepare(
    `INSERT INTO delivery (subscription_no, seq, type, state, attempts, last_at_ms)
     SELECT s.no, r.value ->> 0, r.value ->> 1, r.value ->> 2, 1, 1700000000000
     FROM subscription s, json_each(?2) r WHERE s.id = ?1`,
  )
    .bind(webhookId, JSON.stringify(rows.map(({ seq, type, fate }) => [seq, type, state(fate)])))
    .run()
}

const seqOf = (id: string) => decodePublicId('evt_', id)?.seq ?? 0

test('walking all pages yields every delivery exactly once, in accepted order, whatever its history', async () => {
  const entry = fc.record({ wanted: fc.boolean(), fate: fc.constantFrom(...FATES) })
  const query = fc.record({
    event: fc.constantFrom(null, 'wanted.a', 'wanted.b', 'wanted.*', '*'),
    statuses: fc.uniqueArray(fc.constantFrom('pending', 'success', 'failed', 'skipped')),
    limit: fc.integer({ min: 1, max: 7 }),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(entry, { minLength: 1, maxLength: 8 }), { maxLength: 4 }),
      fc.array(query, { minLength: 1, maxLength: 3 }),
      async (publishes, queries) => {
        const client = unhintedClient()
        const { id } = await client.subscribe({ events: ['wanted.*'] })
        await client.subscribe({ events: ['*'] })
        const history: (Entry & { id: string; type: string })[] = []
        for (const entries of publishes) {
          const events = entries.map(({ wanted }, i) => ({
            event: wanted ? `wanted.${i % 2 === 0 ? 'a' : 'b'}` : 'other',
            data: {},
          }))
          const { data } = await client.post<Bulk>('/events', { events })
          const accepted = data.events as Accepted[]
          history.push(
            ...entries.map((one, i) => ({
              ...one,
              id: accepted[i]?.id ?? '',
              type: events[i]?.event ?? '',
            })),
          )
        }
        const owed = history.filter(({ wanted }) => wanted)
        await record(
          id,
          owed.map(({ id: eventId, type, fate }) => ({ seq: seqOf(eventId), type, fate })),
        )
        for (const { event, statuses, limit } of queries) {
          const status = statuses.join(',')
          const filter = new URLSearchParams({ ...(event && { event }), ...(status && { status }) })
          const rows = await client.all<DeliveryAnswer>(`/webhooks/${id}/logs?${filter}`, limit)
          const expected = owed
            .filter(({ type }) => event === null || event.endsWith('*') || type === event)
            .map((one) => ({ eventId: one.id, status: one.fate === 'unrecorded' ? 'pending' : one.fate }))
            .filter((one) => statuses.length === 0 || statuses.some((wanted) => wanted === one.status))
          expect(rows.map((row) => ({ eventId: row.eventId, status: row.status }))).toEqual(
            expected.reverse(),
          )
        }
      },
    ),
    { numRuns: atFullCount(40, { short: 15 }) },
  )
})

/** Events of which one page looks through a part only. */
const MANY = 11_000

test('a page that has used up what may be read is short, says how far it came, and the next goes on from there', async () => {
  const client = unhintedClient()
  const { id } = await client.subscribe()
  const rare = await client.publish({ event: 'rare', data: {} })
  const ids: string[] = []
  for (let i = 0; i < MANY / 1000; i++) {
    const events = Array.from({ length: 1000 }, () => ({ event: 'common', data: {} }))
    const { data } = await client.post<Bulk>('/events', { events })
    ids.push(...(data.events as Accepted[]).map((event) => event.id))
  }
  // The upper half is still owed without rows, the lower has succeeded: both ways of looking run out of budget.
  await record(
    id,
    ids
      .slice(0, MANY / 2)
      .map((eventId) => ({ seq: seqOf(eventId), type: 'common', fate: 'success' as const })),
  )
  const times = await Promise.all([rare.id, ids.at(-1)].map((eventId) => acceptedAt(client, String(eventId))))
  for (const path of [`/webhooks/${id}/logs?event=rare&limit=10`, '/events?event=rare&limit=10']) {
    const first = await client.get<DeliveryAnswer[]>(path)
    expect([first.data, first.nextCursor]).toEqual([[], expect.any(String)])
    const searchedUntil = searchedUntilOf(first.text)
    expect([times[0], searchedUntil, times[1]].sort()).toEqual([times[0], searchedUntil, times[1]])
    const second = await client.get<DeliveryAnswer[]>(`${path}&cursor=${first.nextCursor}`)
    expect([second.data.length, second.nextCursor, searchedUntilOf(second.text)]).toEqual([1, null, null])
  }
  const pending = await client.all<DeliveryAnswer>(`/webhooks/${id}/logs?status=pending`, 1000)
  expect(pending).toHaveLength(MANY / 2 + 1)
  const successes = await client.all<DeliveryAnswer>(`/webhooks/${id}/logs?status=success`, 1000)
  expect(successes.map(({ eventId }) => eventId)).toEqual(ids.slice(0, MANY / 2).reverse())
})

async function acceptedAt(client: ReturnType<typeof unhintedClient>, eventId: string): Promise<string> {
  return (await client.get<{ acceptedAt: string }>(`/events/${eventId}`)).data.acceptedAt
}

function searchedUntilOf(text: string): string | null {
  return (JSON.parse(text) as { pagination: { searchedUntil: string | null } }).pagination.searchedUntil
}
