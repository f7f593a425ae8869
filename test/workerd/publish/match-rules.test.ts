import { env } from 'cloudflare:workers'
import { beforeEach, expect, test } from 'vitest'
import { createRig, createWorld, freshStore, type Rig } from '../../support/rig/builders.ts'
import { stallD1, writesEvents } from '../../support/rig/d1-watch.ts'
import { clientOf, deliver } from '../../support/rig/rig-client.ts'

beforeEach(freshStore)

type Row = {
  webhookId: string
  matched: boolean
  reason: string | null
  explanation: string | null
  rules?: { rule: string; reason: string; message: string }[]
}
type Bulk = { events: { id: string; status: string; matched: number }[] }

/** The fan-outs as stored, oldest event first. */
async function fanouts(): Promise<number[][]> {
  const { results } = await env.DB.prepare('SELECT fanout FROM event ORDER BY pk').all<{ fanout: string }>()
  return results.map(({ fanout }) => JSON.parse(fanout) as number[])
}

async function rowsOf(rig: Rig, eventId: string): Promise<Map<string, Row>> {
  const { data } = await clientOf(rig).get<Row[]>(`/events/${eventId}/deliveries?limit=100`)
  return new Map(data.map((row) => [row.webhookId, row]))
}

test('a disabled subscription stands in the fan-out, negative, only for events that its rules let pass', async () => {
  const rig = await createRig()
  const disabled = await rig.subscribe({ active: false, filters: { total: { min: 10 } } })
  const other = await rig.subscribe({ filters: { total: { min: 1 } } })
  const outcomes = await rig.publish({ data: { total: 5 } }, { data: { total: 10 } })
  expect(outcomes).toMatchObject([{ matched: 1 }, { matched: 1 }])
  expect(await fanouts()).toEqual([[other.no], [-disabled.no, other.no]])
  const [small, large] = outcomes.map((outcome) => (outcome.kind === 'accepted' ? outcome.id : ''))
  expect((await rowsOf(rig, small ?? '')).get(disabled.id)).toMatchObject({
    ...{ matched: false, reason: 'refused_by_rules', rules: [{ rule: 'filters.total' }] },
  })
  expect((await rowsOf(rig, large ?? '')).get(disabled.id)).toMatchObject({
    matched: true,
    reason: 'disabled',
  })
})

test('a large event, whose text waits in R2, is matched, delivered and explained as a small one', async () => {
  const rig = await createRig()
  const client = clientOf(rig)
  const far = await rig.subscribe({ filters: ['data.object.items.exists(i, i.sku == "last")'] })
  const no = await rig.subscribe({ conditions: [{ field: 'object.total', operator: 'gt', value: 100 }] })
  const items = [...Array.from({ length: 5000 }, (_, i) => ({ sku: `é€😀 number ${i}` })), { sku: 'last' }]
  const body = `{"event":"invoice.created","data":{"object":{"total":99.50,"items":${JSON.stringify(items)}}}}`
  const { data } = await client.call<{ id: string; matched: number }>('POST', '/events', { body })
  expect(data.matched).toBe(1)
  const stored = 'SELECT body IS NULL AND body_key IS NOT NULL AS is_large FROM event'
  expect(await env.DB.prepare(stored).first('is_large')).toBe(1)
  await deliver(rig)
  expect(rig.postsTo(far)[0]?.body).toContain('"total":99.50')
  const rows = await rowsOf(rig, data.id)
  expect(rows.get(far.id)).toMatchObject({ matched: true })
  expect(rows.get(no.id)).toMatchObject({
    ...{ matched: false, reason: 'refused_by_rules' },
    rules: [{ rule: 'conditions[0]', reason: 'not_satisfied', message: expect.stringMatching(/99\.5/) }],
  })
})

test('each of a hundred events of one request is matched by itself', async () => {
  const rig = await createRig()
  const client = clientOf(rig)
  const even = await rig.subscribe({ filters: ['n % 2.0 == 0.0'] })
  const above = await rig.subscribe({ filters: { n: { gte: 90 } } })
  const events = Array.from({ length: 100 }, (_, n) => ({ event: 'a', data: { n } }))
  const { data } = await client.post<Bulk>('/events', { events })
  expect(data.events.map(({ matched }) => matched)).toEqual(
    events.map((_, n) => (n % 2 === 0 ? 1 : 0) + (n >= 90 ? 1 : 0)),
  )
  await deliver(rig)
  const numbersTo = (subscription: typeof even) =>
    rig
      .postsTo(subscription)
      .map(({ body }) => (JSON.parse(body) as { data: { n: number } }).data.n)
      .sort((a, b) => a - b)
  expect(numbersTo(even)).toEqual(Array.from({ length: 50 }, (_, i) => 2 * i))
  expect(numbersTo(above)).toEqual(Array.from({ length: 10 }, (_, i) => 90 + i))
})

test('a filter that changes while the insert is under way counts', async () => {
  const world = createWorld()
  const stall = stallD1(env.DB, writesEvents)
  const a = await createRig({ world, workspace: 'shared', db: stall.db })
  const b = await createRig({ world, workspace: 'shared' })
  const [loses, gains] = [await b.subscribe({ filters: { n: 1 } }), await b.subscribe({ filters: { n: 2 } })]
  const publishing = a.publish({ data: { n: 1 } })
  await stall.stalled
  for (const [{ id }, n] of [
    [loses, 2],
    [gains, 1],
  ] as const) {
    await clientOf(b).call('PUT', `/webhooks/${id}`, { json: { filters: { n } } })
  }
  stall.release()
  expect(await publishing).toMatchObject([{ kind: 'accepted', matched: 1 }])
  await a.drain()
  expect([a.postsTo(loses).length, a.postsTo(gains).length]).toEqual([0, 1])
})

test('settings that change while the insert is under way are those the event is stored with', async () => {
  const world = createWorld()
  const stall = stallD1(env.DB, writesEvents)
  const a = await createRig({ world, workspace: 'shared', db: stall.db })
  const b = await createRig({ world, workspace: 'shared' })
  const test = await b.subscribe({ livemode: false })
  const publishing = a.publish({})
  await stall.stalled
  await clientOf(b).call('PUT', '/workspaces/shared', { json: { livemode: false } })
  stall.release()
  expect(await publishing).toMatchObject([{ kind: 'accepted', matched: 1 }])
  await a.drain()
  expect(JSON.parse(a.postsTo(test)[0]?.body ?? '')).toMatchObject({ livemode: false })
})

test('a rule on the id sees none before the relay has given one, in publishes, previews and explanations alike', async () => {
  const rig = await createRig()
  const client = clientOf(rig)
  const { id } = await rig.subscribe({ filters: { 'event.id': { startsWith: 'evt_' } } })
  const own = await client.publish({ id: 'evt_mine', event: 'a', data: {} })
  const generated = await client.publish({ event: 'a', data: {} })
  expect([own.matched, generated.matched]).toEqual([1, 0])
  const sample = { json: { event: 'a', data: {} } }
  const preview = await client.call<{ matches: boolean }>('POST', `/webhooks/${id}/preview`, sample)
  expect(preview.data.matches).toBe(false)
  expect((await rowsOf(rig, generated.id)).get(id)).toMatchObject({ reason: 'refused_by_rules' })
})

test('stored rules that no longer compile refuse by name, and keep the event from nobody else', async () => {
  const rig = await createRig()
  const broken = await rig.subscribe({ filters: ['n == 1'] })
  const other = await rig.subscribe({ filters: ['n == 1'], conditions: [] })
  await env.DB.prepare(
    "UPDATE subscription SET config = json_set(config, '$.rules.filters', json(?2)) WHERE no = ?1",
  )
    .bind(broken.no, '["n ==", {"a": 1}]')
    .run()
  const [outcome] = await rig.publish({ data: { n: 1 } })
  expect([outcome, await fanouts()]).toMatchObject([{ kind: 'accepted', matched: 1 }, [[other.no]]])
  const rows = await rowsOf(rig, outcome?.kind === 'accepted' ? outcome.id : '')
  expect(rows.get(broken.id)?.rules).toMatchObject([
    { rule: 'filters[0]', reason: 'not_compiled' },
    { rule: 'filters[1]', reason: 'not_compiled' },
  ])
})

test('rules that a large event exhausts refuse it with that reason, and only for their own subscription', async () => {
  const rig = await createRig()
  const heavy = await rig.subscribe({ filters: ['numbers.all(n, n >= 0.0 && n < 1e9)'] })
  const light = await rig.subscribe({ filters: { kind: 'big' } })
  const data = { kind: 'big', numbers: Array.from({ length: 100_000 }, (_, n) => n) }
  const [outcome] = await rig.publish({ data })
  expect(outcome).toMatchObject({ kind: 'accepted', matched: 1 })
  expect(await fanouts()).toEqual([[light.no]])
  const rows = await rowsOf(rig, outcome?.kind === 'accepted' ? outcome.id : '')
  expect(rows.get(heavy.id)).toMatchObject({
    reason: 'refused_by_rules',
    rules: [
      {
        rule: 'filters[0]',
        reason: 'too_complex',
        message: expect.stringMatching(/too large for the rules/),
      },
    ],
  })
})

test('a publish whose rules take too much together says so, to its publisher and with the reasons of each event', async () => {
  const rig = await createRig()
  const heavy: string[] = []
  for (let n = 0; n < 40; n++) {
    const { id } = await rig.subscribe({ filters: ['numbers.all(n, n >= 0.0 && n < 1e9)'] })
    heavy.push(id)
  }
  const simple = await rig.subscribe({ filters: { kind: 'big' }, conditions: [] })
  const data = { kind: 'big', numbers: Array.from({ length: 10_000 }, (_, n) => n) }
  const outcomes = await rig.publish(...Array.from({ length: 15 }, () => ({ data })))
  const stored = await fanouts()
  expect(stored).toHaveLength(15)
  for (const fanout of stored) expect(fanout).toContain(simple.no)
  expect(stored[0]?.length).toBeLessThan(40)
  const [first] = outcomes
  if (first?.kind !== 'accepted') throw new Error('the event was not accepted')
  expect(first.warnings).toEqual([expect.stringMatching(/^event: is too_complex for \d+ subscriptions/)])
  const rows = await rowsOf(rig, first.id)
  const refused = heavy.filter((id) => rows.get(id)?.matched === false)
  expect(refused).toHaveLength(41 - first.matched)
  expect(rows.get(refused[0] ?? '')).toMatchObject({
    reason: 'refused_by_rules',
    rules: [{ rule: 'filters', reason: 'too_complex' }],
  })
})

test('an event whose text is gone is not said to have been refused by rules that nobody can check', async () => {
  const rig = await createRig()
  const { id } = await rig.subscribe({ filters: { a: 1 } })
  const [outcome] = await rig.publish({ data: { pad: 'x'.repeat(70_000) } })
  const { objects } = await env.BODIES.list()
  await env.BODIES.delete(objects.map(({ key }) => key))
  const rows = await rowsOf(rig, outcome?.kind === 'accepted' ? outcome.id : '')
  expect(rows.get(id)).toMatchObject({ matched: false, reason: expect.any(String) })
  expect(rows.get(id)).not.toHaveProperty('rules')
})
