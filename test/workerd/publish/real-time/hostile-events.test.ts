import { beforeEach, expect, test } from 'vitest'
import type { DeliveryAnswer } from '../../../support/process/http-client.ts'
import { createRig, freshStore, type SubscriptionInput } from '../../../support/rig/builders.ts'
import { clientOf, deliver } from '../../../support/rig/rig-client.ts'

beforeEach(freshStore)

/** Far above what bounded work takes here, and far below what unbounded work would. */
const QUICK_MS = 2000

const nested = (levels: number) => `${'{"a":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}`
const loops = (count: number) =>
  Array.from({ length: count }, (_, i) => `{% for v${i} in (1..1000) %}`).join('') +
  'x' +
  '{% endfor %}'.repeat(count)
const text = (template: unknown): SubscriptionInput => ({
  transform: { template, contentType: 'text/plain' },
})

/** What a subscription's template does, what the event holds, and why nothing can be sent. */
const TEMPLATES: [string, SubscriptionInput, string, RegExp][] = [
  ['loops a billion times', text(loops(3)), '{}', /^template: .*loop at most 10000 times/],
  [
    'goes through a range without end',
    text('{% for i in (1..1000000000) %}{% endfor %}'),
    '{}',
    /^template: .*ranges of at most 10000/,
  ],
  [
    'goes through a range whose end the event gives',
    text('{% for i in (1..data.n) %}{% endfor %}'),
    '{"n":1e300}',
    /^template: .*ranges of at most 10000/,
  ],
  [
    'prints 100 MB',
    text('{% for i in (1..9999) %}{{ data.pad }}{% endfor %}'),
    `{"pad":"${'x'.repeat(10_000)}"}`,
    /^template: .*at most 1000000 characters more/,
  ],
  [
    'doubles a text again and again',
    text('{% assign a = data.pad %}{% for i in (1..60) %}{% assign a = a | append: a %}{% endfor %}'),
    `{"pad":"${'x'.repeat(100)}"}`,
    /^template: .*less work/,
  ],
  [
    'goes through 100,000 elements for each of them',
    { transform: { template: { a: [`{% for x in data.list %}{{ data.list | join }}{% endfor %}`] } } },
    `{"list":[${Array.from({ length: 100_000 }, () => '1').join()}]}`,
    /^template\.a\.0: must/,
  ],
]

test.each(TEMPLATES)(
  'a template that %s is answered at once, fails for good with its reason, and nobody else’s delivery with it',
  async (_, settings, data, explanation) => {
    const rig = await createRig()
    const client = clientOf(rig)
    const hostile = await rig.subscribe(settings)
    const other = await rig.subscribe()
    const startMs = Date.now()
    const body = `{"event":"a","data":${data}}`
    const published = await client.call<{ matched: number }>('POST', '/events', { body })
    expect([published.status, published.data.matched]).toEqual([202, 2])
    await deliver(rig)
    expect(Date.now() - startMs).toBeLessThan(QUICK_MS)
    const logOf = async (id: string) => (await client.get<DeliveryAnswer[]>(`/webhooks/${id}/logs`)).data
    expect(await logOf(hostile.id)).toMatchObject([
      {
        ...{ status: 'failed', error: 'template', nextRetryAt: null, responseBody: null },
        explanation: expect.stringMatching(explanation),
      },
    ])
    expect(rig.postsTo(hostile)).toEqual([])
    expect(await logOf(other.id)).toMatchObject([{ status: 'success' }])
    expect(rig.postsTo(other)[0]?.body).toContain(`"data":${data}`)
  },
)

test.each<[string, unknown, string]>([
  ['an expression', ['data.list.all(x, x >= 0.0 || x < 0.0)'], 'filters[0]'],
  ['a chain of them', ['data.list.map(x, x + 1.0).filter(x, x > 0.0).exists(x, x < 0.0)'], 'filters[0]'],
  ['a filter of 200 values', { list: Array.from({ length: 200 }, (_, i) => `v${i}`) }, 'filters.list'],
])(
  '%s over 100,000 elements does not delay the publish, and says that it gave up',
  async (_, filters, rule) => {
    const rig = await createRig()
    const client = clientOf(rig)
    const heavy = await client.subscribe({ filters })
    const other = await rig.subscribe()
    const list = Array.from({ length: 100_000 }, (_, i) => i)
    const startMs = Date.now()
    const event = await client.publish({ event: 'a', data: { list } })
    expect(event.matched).toBe(1)
    expect(Date.now() - startMs).toBeLessThan(QUICK_MS)
    await deliver(rig)
    expect(rig.postsTo(other)).toHaveLength(1)
    const { data } = await client.get<{ webhookId: string }[]>(`/events/${event.id}/deliveries`)
    expect(data.find(({ webhookId }) => webhookId === heavy.id)).toMatchObject({
      reason: 'refused_by_rules',
      rules: [{ rule, reason: 'too_complex' }],
    })
  },
)

test('data of 128 levels goes through rules and templates whole', async () => {
  const rig = await createRig()
  const client = clientOf(rig)
  const path = ['data', ...Array.from({ length: 31 }, () => 'a')].join('.')
  const shaped = await rig.subscribe({
    filters: { [path]: { exists: true } },
    transform: { template: { all: '{{data}}', deep: `{{${path}}}`, json: '{{data | json}}' } },
  })
  const expression = await rig.subscribe({ filters: ['data.a.a.a.a.a != 1.0'] })
  const data = nested(128)
  const published = await client.call<{ matched: number }>('POST', '/events', {
    body: `{"event":"a","data":${data}}`,
  })
  expect([published.status, published.data.matched]).toEqual([202, 2])
  await deliver(rig)
  const sent = JSON.parse(rig.postsTo(shaped)[0]?.body ?? '') as Record<string, unknown>
  expect([JSON.stringify(sent['all']), sent['json']]).toEqual([data, data])
  expect(rig.postsTo(expression)[0]?.body).toContain(data)
})

test('a hundred hostile templates of one event leave the healthy one its delivery', async () => {
  const rig = await createRig()
  for (let i = 0; i < 20; i++) await rig.subscribe(text(loops(3)))
  const other = await rig.subscribe()
  const startMs = Date.now()
  await rig.publish({}, {}, {}, {}, {})
  await rig.drain()
  expect(Date.now() - startMs).toBeLessThan(5 * QUICK_MS)
  expect(rig.postsTo(other)).toHaveLength(5)
  const states = (await rig.deliveries()).map(({ error }) => error)
  expect(states.filter((error) => error === 'template')).toHaveLength(100)
})
