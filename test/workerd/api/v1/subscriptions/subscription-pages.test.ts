import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Client, type SubscriptionAnswer } from '../../../../support/process/http-client.ts'

test('subscriptions are listed newest first, in pages', async () => {
  const client = new Client()
  const ids: string[] = []
  for (let i = 0; i < 7; i++) ids.unshift((await client.subscribe()).id)
  for (const limit of [1, 2, 3, 6, 7, 8, 100]) {
    const listed = await client.all<SubscriptionAnswer>('/webhooks', limit)
    expect(listed.map(({ id }) => id)).toEqual(ids)
  }
  const last = await client.get('/webhooks?limit=7')
  expect(last.nextCursor).toBeNull()
})

test('a page without a limit holds 50', async () => {
  const client = new Client()
  for (let i = 0; i < 51; i++) await client.subscribe()
  const page = await client.get<unknown[]>('/webhooks')
  expect(page.data).toHaveLength(50)
  expect(page.nextCursor).toEqual(expect.any(String))
})

test('a page is read in steps, and ends early once its subscriptions are large', async () => {
  const client = new Client()
  const description = 'x'.repeat(500)
  const metadata = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`m${i}`, description]))
  for (let i = 0; i < 210; i++) await client.subscribe(i < 10 ? {} : { metadata })
  const page = await client.get<unknown[]>('/webhooks?limit=1000')
  // Of 10 kB each, 200 are 2 MB.
  expect(page.data).toHaveLength(200)
  const next = await client.get<unknown[]>(`/webhooks?limit=1000&cursor=${page.nextCursor}`)
  expect([next.data.length, next.nextCursor]).toEqual([10, null])
})

test('walking the pages meets every subscription exactly once while others come and go', async () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.constant('page' as const) },
    { weight: 1, arbitrary: fc.constant('insert' as const) },
    { weight: 1, arbitrary: fc.constant('delete' as const) },
  )
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 4 }),
      fc.array(step, { maxLength: 12 }),
      async (count, limit, steps) => {
        const walk = new Walk(limit)
        for (let i = 0; i < count; i++) await walk.insert()
        const before = [...walk.listed]
        for (const next of steps) await walk[next]()
        for (let i = 0; i <= walk.listed.length && walk.cursor !== null; i++) await walk.page()
        expect(walk.cursor).toBeNull()
        expect(new Set(walk.seen).size).toBe(walk.seen.length)
        const stayed = before.filter((id) => walk.listed.includes(id))
        expect(walk.seen.filter((id) => stayed.includes(id))).toEqual(stayed)
      },
    ),
    { numRuns: 15 },
  )
})

/** Somebody reading the list page by page while somebody else changes it. */
class Walk {
  readonly client = new Client()
  /** Newest first. */
  readonly listed: string[] = []
  readonly seen: string[] = []
  cursor: string | null = ''
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  async insert(): Promise<void> {
    this.listed.unshift((await this.client.subscribe()).id)
  }

  async delete(): Promise<void> {
    const [victim] = this.listed.splice(this.listed.length >> 1, 1)
    if (victim !== undefined) await this.client.call('DELETE', `/webhooks/${victim}`)
  }

  async page(): Promise<void> {
    if (this.cursor === null) return
    const from = this.cursor === '' ? '' : `&cursor=${this.cursor}`
    const { data, nextCursor } = await this.client.get<{ id: string }[]>(
      `/webhooks?limit=${this.#limit}${from}`,
    )
    this.seen.push(...data.map(({ id }) => id))
    this.cursor = nextCursor ?? null
  }
}
