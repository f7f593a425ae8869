import { Webhook } from 'standardwebhooks'
import { beforeEach, describe, expect, test } from 'vitest'
import { type Client, expectInvalid, expectRefusal } from '../../../../support/process/http-client.ts'
import { createRig, freshStore, type Rig } from '../../../../support/rig/builders.ts'
import { clientOf, deliver } from '../../../../support/rig/rig-client.ts'
import { EVENT, type Preview, previewOf, SECRET, SHAPES, unsigned } from './previews.ts'

const MASKED = '********'

const lowerCase = (headers: Record<string, string>) => Object.fromEntries(new Headers(headers))

async function publishText(rig: Rig, client: Client, body: string): Promise<void> {
  expect((await client.call('POST', '/events', { body })).status).toBe(202)
  await deliver(rig)
}

/** Publishes the very event that is previewed, and answers what its receiver gets. */
async function delivered(rig: Rig, client: Client, url: string, event = EVENT) {
  await publishText(rig, client, event)
  const posts = rig.posts.filter((post) => post.url === url)
  expect(posts).toHaveLength(1)
  return { headers: Object.fromEntries(posts[0]!.headers), body: posts[0]!.body }
}

describe('POST /webhooks/{id}/preview', () => {
  beforeEach(freshStore)

  test.each(SHAPES)('shows body and headers of %s as the delivery then has them', async (_, settings) => {
    const rig = await createRig()
    const client = clientOf(rig)
    const { id, url } = await client.subscribe({ secret: SECRET, ...settings })
    const { status, data, text } = await previewOf(client, id)
    expect(status, text).toBe(200)
    expect(data).toMatchObject({ event: 'invoice.created', matches: true, rules: [], failure: null })
    expect(rig.posts).toEqual([])
    const real = await delivered(rig, client, url)
    expect(data.request).toMatchObject({ method: 'POST', url, body: real.body })
    const shown = data.request?.headers ?? {}
    expect(unsigned(shown)).toEqual(unsigned(real.headers))
    expect(lowerCase(shown)).not.toEqual(real.headers)
  })

  test('signs with keys made for it, which the receiver refuses, and with two while a rotation overlaps', async () => {
    const rig = await createRig()
    rig.clock.nowMs = Date.now()
    const client = clientOf(rig)
    const { id } = await client.subscribe({ secret: SECRET, asymmetric: true })
    const shown = async () => (await previewOf(client, id)).data
    const verify = ({ request }: Preview, secret: string) =>
      new Webhook(secret).verify(request?.body ?? '', request?.headers ?? {})
    const first = await shown()
    expect(first.signedWith).toMatchObject({
      previousSecret: null,
      publicKeys: [expect.stringMatching(/^whpk_/)],
    })
    expect(verify(first, first.signedWith?.secret ?? '')).toEqual(JSON.parse(first.request?.body ?? ''))
    expect(() => verify(first, SECRET)).toThrow()
    const rotated = await client.post<{ secret: string }>(`/webhooks/${id}/rotate-secret`)
    const second = await shown()
    expect(second.signedWith?.publicKeys).toHaveLength(2)
    for (const secret of [second.signedWith?.secret, second.signedWith?.previousSecret]) {
      verify(second, secret ?? '')
    }
    for (const secret of [SECRET, rotated.data.secret]) expect(() => verify(second, secret)).toThrow()
  })

  test.each(SHAPES.filter(([name]) => name !== 'a transform to text'))(
    'shows a batch of one, with %s in it, where batching is on, and nothing of it where it is off',
    async (_, settings) => {
      const client = clientOf(await createRig())
      const { id } = await client.subscribe({ secret: SECRET, ...settings })
      const alone = (await previewOf(client, id)).data.request?.body ?? ''
      const set = async (enabled: boolean) => {
        const changed = await client.call('PUT', `/webhooks/${id}`, { json: { batchSettings: { enabled } } })
        expect(changed.status, changed.text).toBe(200)
        return (await previewOf(client, id)).data.request
      }
      const shown = await set(true)
      const isCloudEvents = settings['profile'] === 'cloudevents'
      expect(shown?.body).toBe(
        isCloudEvents
          ? `[${alone}]`
          : `{"batch":true,"events":[${alone}],"batchId":"batch_preview","batchTimestamp":"2026-11-02T12:00:00.000Z"}`,
      )
      const headers = lowerCase(shown?.headers ?? {})
      expect(headers['content-type']).toBe(
        isCloudEvents ? 'application/cloudevents-batch+json' : 'application/json',
      )
      const named = ['webhook-id', 'x-webhook-id', 'x-id'].flatMap((name) => headers[name] ?? [])
      expect(named).toEqual(named.map(() => 'batch_preview'))
      expect(headers['x-event'] ?? 'batch').toBe('batch')
      expect((await set(false))?.body).toBe(alone)
    },
  )

  test.each<[string, Record<string, unknown>, string, string]>([
    [
      'basic',
      { auth: { type: 'basic', username: 'u', password: 'pass-1' } },
      'authorization',
      `Basic ${MASKED}`,
    ],
    ['apiKey', { auth: { type: 'apiKey', header: 'X-Api', value: 'pass-1' } }, 'x-api', MASKED],
    [
      'jwt',
      { auth: { type: 'jwt', algorithm: 'HS256', key: 'pass-1-key' } },
      'authorization',
      `Bearer ${MASKED}`,
    ],
    ['headers', { headers: { 'X-Api-Key': 'pass-1' } }, 'x-api-key', MASKED],
    [
      'an apiKey in place of a header',
      { auth: { type: 'apiKey', header: 'x-team', value: 'pass-1' }, headers: { 'X-Team': 'pass-2' } },
      'x-team',
      MASKED,
    ],
  ])('masks the credentials of %s, and nothing else', async (_, settings, name, masked) => {
    const rig = await createRig()
    const client = clientOf(rig)
    const { id, url } = await client.subscribe({ secret: SECRET, ...settings })
    const { data, text } = await previewOf(client, id)
    expect(text).not.toMatch(/pass-1|pass-2/)
    expect(text).not.toContain(SECRET)
    const real = await delivered(rig, client, url)
    expect(real.headers[name]).not.toContain(MASKED)
    expect(unsigned(data.request?.headers ?? {})).toEqual(unsigned({ ...real.headers, [name]: masked }))
  })

  test('asks no token server', async () => {
    const rig = await createRig()
    const client = clientOf(rig)
    const tokenUrl = 'https://auth.example.com/token'
    const auth = { type: 'oauth2', tokenUrl, clientId: 'c', clientSecret: 'pass-1' }
    const { id } = await client.subscribe({ auth })
    const { data, text } = await previewOf(client, id)
    expect(lowerCase(data.request?.headers ?? {})['authorization']).toBe(`Bearer ${MASKED}`)
    expect(text).not.toContain('pass-1')
    expect(rig.posts).toEqual([])
    expect((await client.get<unknown[]>('/events')).data).toEqual([])
    expect((await client.get<unknown[]>(`/webhooks/${id}/logs`)).data).toEqual([])
  })

  test('says which rule refuses, in the words the delivery list then uses', async () => {
    const rig = await createRig()
    const client = clientOf(rig)
    const filters = { 'invoice.total': { min: 5000 }, 'customer.tags': ['vip'] }
    const { id } = await client.subscribe({ filters })
    const { data } = await previewOf(client, id)
    expect(data).toMatchObject({ matches: false, reason: 'refused_by_rules' })
    expect(data.rules.map(({ rule }) => rule)).toEqual(['filters.invoice.total', 'filters.customer.tags'])
    expect(data.request?.body).toContain('2567.50')
    const event = await client.publish(JSON.parse(EVENT) as object)
    const rows = await client.get<object[]>(`/events/${event.id}/deliveries`)
    const { reason, explanation, rules } = data
    expect(rows.data[0]).toMatchObject({ matched: false, reason, explanation, rules })
    expect((await previewOf(client, id, '{"event":"other","livemode":false,"data":{}}')).data.reason).toBe(
      'refused_by_rules',
    )
  })

  test.each([
    ['livemode', { livemode: true }, '{"livemode":false,"data":{}}', 'livemode_not_wanted'],
    ['api_version', { apiVersion: 'v9' }, '{"data":{}}', 'api_version_not_wanted'],
    ['the type', {}, '{"event":"customer.created","data":{}}', 'event_type_not_subscribed'],
  ])('says so when %s is not wanted', async (_, settings, sample, reason) => {
    const client = clientOf(await createRig())
    const { id } = await client.subscribe({ events: ['invoice.created'], ...settings })
    expect((await previewOf(client, id, sample)).data).toMatchObject({ matches: false, reason })
  })

  test('names the string of a template that fails, and so does the delivery', async () => {
    const rig = await createRig()
    const client = clientOf(rig)
    const loop = '{% for i in (1..9000) %}{% for j in (1..9000) %}x{% endfor %}{% endfor %}'
    const { id } = await client.subscribe({ transform: { template: { a: { b: loop } } } })
    const { data } = await previewOf(client, id)
    const message = expect.stringMatching(/^template\.a\.b: .*loop at most 10000 times/)
    expect(data).toMatchObject({ matches: true, request: null, failure: { error: 'template', message } })
    await publishText(rig, client, EVENT)
    const log = await client.get<object[]>(`/webhooks/${id}/logs`)
    expect(log.data).toMatchObject([{ status: 'failed', error: 'template', explanation: message }])
  })

  test.each([
    ['no body', {}],
    ['an empty object', { body: '{}' }],
  ])(
    'with %s takes the type it names and the example of the catalogue, to the character',
    async (_, call) => {
      const client = clientOf(await createRig())
      const example = '{ "object": {"total": 2567.50, "n": 12345678901234567890} }'
      await client.call('PUT', '/event-types/invoice.paid', { body: `{"example":${example}}` })
      const { id } = await client.subscribe({ events: ['payment.*', 'invoice.paid', 'b'] })
      const { data } = await client.call<Preview>('POST', `/webhooks/${id}/preview`, call)
      expect(data).toMatchObject({ event: 'invoice.paid', matches: true })
      expect(data.request?.body).toContain(`"data":${example}`)
    },
  )

  test.each([
    ['a text as data', '{"data":"x"}', 'data', /must be a JSON object/],
    ['null as data', '{"data":null}', 'data', /must be a JSON object/],
    ['a bad type', '{"event":"a b"}', 'event', /must be an event type/],
    ['a list as type', '{"event":[{"toString":0}]}', 'event', /must be/],
    ['an unknown member', '{"dada":{}}', 'dada', /is not a field/],
    ['129 levels', `{"data":{"a":${'['.repeat(128)}${']'.repeat(128)}}}`, 'data', /at most 128 levels/],
  ])('refuses %s by path', async (_, sample, path, message) => {
    const client = clientOf(await createRig())
    const { id } = await client.subscribe()
    expectInvalid(await previewOf(client, id, sample), path, message)
    const draft = `{"subscription":{"url":"https://a.example.com/","events":["*"]},"event":${sample}}`
    expectInvalid(await client.call('POST', '/webhooks/preview', { body: draft }), `event.${path}`, message)
  })

  test('knows no subscription of another tenant, nor a deleted one, nor the target of a dispatch', async () => {
    const rig = await createRig()
    const [client, other] = [clientOf(rig), clientOf(rig, 'ws-other')]
    const { id } = await client.subscribe()
    expectRefusal(await previewOf(other, id), 404, 'not_found')
    await client.call('DELETE', `/webhooks/${id}`)
    expectRefusal(await previewOf(client, id), 404, 'not_found')
    const target = { url: 'https://a.example.com/', event: 'a', data: {}, secret: SECRET }
    expect((await client.post('/dispatch', target)).status).toBe(202)
    const row = await rig.relay.env.DB.prepare('SELECT id FROM subscription WHERE kind = 1').first<{
      id: string
    }>()
    expect(row?.id).toMatch(/^dispatch_/)
    expectRefusal(await previewOf(client, row?.id ?? ''), 404, 'not_found')
  })
})
