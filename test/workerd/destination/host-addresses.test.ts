import { beforeEach, describe, expect, test } from 'vitest'
import { expectInvalid, expectRefusal } from '../../support/process/http-client.ts'
import { createRig, freshStore, hang, type Receiver, SECRET } from '../../support/rig/builders.ts'
import { clientOf } from '../../support/rig/rig-client.ts'
import {
  DNS_SERVER,
  dnsAnswer,
  questionsAbout,
  sentPosts,
  setAddresses,
  setDnsAnswer,
} from '../../support/rig/stub-dns.ts'

beforeEach(freshStore)

const HOST = 'hooks.example.com'
const URL = `https://${HOST}/a`
const TOKEN_HOST = 'login.example.com'
const PUBLIC = '93.184.216.34'
const oauth = {
  type: 'oauth2',
  tokenUrl: `https://${TOKEN_HOST}/token`,
  clientId: 'crm',
  clientSecret: 's3cret',
} as const
const settings = (more: object = {}) => ({ url: URL, events: ['*'], ...more })

async function scene(changes: { dnsOverHttpsUrl?: string | null; allowPrivateDestinations?: boolean } = {}) {
  const rig = await createRig({
    settings: { dnsOverHttpsUrl: DNS_SERVER, allowPrivateDestinations: false, ...changes },
  })
  const client = clientOf(rig)
  const publish = async () => {
    await rig.publish({})
    await rig.drain()
    return (await rig.deliveries()).at(-1)
  }
  return { rig, client, publish }
}

describe('a host that has a private address', () => {
  test.each([['10.0.0.7'], ['127.0.0.1'], ['169.254.169.254'], ['fd00::1'], ['::ffff:127.0.0.1'], ['::1']])(
    '%s is refused in a subscription, a token endpoint, a preview and a dispatch',
    async (address) => {
      const { rig, client } = await scene()
      setAddresses(rig, HOST, [PUBLIC, address])
      setAddresses(rig, 'fine.example.com', [PUBLIC])
      const problem = /whose addresses are all public: hooks.example.com has/
      expectInvalid(await client.post('/webhooks/subscribe', settings()), 'url', problem)
      const auth = { ...oauth, tokenUrl: URL }
      const withAuth = { url: 'https://fine.example.com/', events: ['*'], auth }
      expectInvalid(await client.post('/webhooks/subscribe', withAuth), 'auth.tokenUrl', problem)
      const preview = { subscription: settings() }
      expectInvalid(await client.post('/webhooks/preview', preview), 'subscription.url', problem)
      const dispatched = { url: URL, secret: SECRET, event: 'a', data: {} }
      expectInvalid(await client.post('/dispatch', dispatched), 'url', problem)
      expect(sentPosts(rig)).toEqual([])
    },
  )

  test('only since it was saved gets nothing', async () => {
    const { rig, client, publish } = await scene()
    setAddresses(rig, HOST, [PUBLIC], 60)
    await client.subscribe(settings())
    expect(await publish()).toMatchObject({ state: 1 })
    setAddresses(rig, HOST, ['10.0.0.7'])
    rig.clock.nowMs += 60_000
    expect(await publish()).toMatchObject({ error: 'blocked', due_at_ms: null })
    expect(sentPosts(rig)).toHaveLength(1)
  })

  test('only since it was saved, and that at once where its answer has no life, gets nothing', async () => {
    const { rig, client, publish } = await scene()
    setAddresses(rig, HOST, [PUBLIC], 0)
    await client.subscribe(settings())
    setAddresses(rig, HOST, ['127.0.0.1'], 0)
    expect(await publish()).toMatchObject({ error: 'blocked' })
    expect(sentPosts(rig)).toEqual([])
  })

  test('and is a token endpoint gets no credentials', async () => {
    const { rig, publish } = await scene()
    setAddresses(rig, HOST, [PUBLIC])
    setAddresses(rig, TOKEN_HOST, ['10.0.0.7'])
    await rig.subscribe({ url: URL, auth: oauth })
    expect(await publish()).toMatchObject({ error: 'auth' })
    expect(sentPosts(rig)).toEqual([])
  })

  test('is shown in the log, and in the preview of a subscription of before', async () => {
    const { rig, client, publish } = await scene()
    setAddresses(rig, HOST, ['10.0.0.7'])
    const { id } = await rig.subscribe({ url: URL })
    await publish()
    const { data } = await client.get<{ errorMessage: string }[]>(`/webhooks/${id}/logs`)
    expect(JSON.stringify(data)).toContain('hooks.example.com has 10.0.0.7')
    const preview = await client.post(`/webhooks/${id}/preview`)
    expect(preview.data).toMatchObject({ request: null, failure: { error: 'blocked' } })
  })

  test('may be delivered to in local runs', async () => {
    const { rig, client, publish } = await scene({ allowPrivateDestinations: true })
    await client.subscribe(settings())
    expect(await publish()).toMatchObject({ state: 1 })
    expect(questionsAbout(rig, HOST)).toBe(0)
  })
})

describe('destinationIps', () => {
  const destinationIps = ['93.184.216.0/24', '2400:cb00::/32']

  test('are shown, kept by other changes, and dropped by null', async () => {
    const { rig, client } = await scene()
    setAddresses(rig, HOST, [PUBLIC, '2400:cb00::7'])
    const { id, ...created } = await client.subscribe(settings({ destinationIps }))
    expect(created).toMatchObject({ destinationIps })
    const patch = async (json: object) => (await client.call('PATCH', `/webhooks/${id}`, { json })).data
    expect(await patch({ name: 'x' })).toMatchObject({ destinationIps })
    expect(await patch({ destinationIps: null })).toMatchObject({ destinationIps: null })
  })

  test.each<[string, unknown, string]>([
    ['a name', ['a.com'], 'destinationIps[0]'],
    ['a range of 33 bits', ['10.0.0.0/33'], 'destinationIps[0]'],
    ['a range that begins elsewhere', ['10.0.0.1/24'], 'destinationIps[0]'],
    ['an address in octal', ['0177.0.0.1'], 'destinationIps[0]'],
    ['no range', [], 'destinationIps'],
    ['51 ranges', Array(51).fill('10.0.0.0/24'), 'destinationIps'],
    ['a text', '10.0.0.0/24', 'destinationIps'],
  ])('%s is refused by name', async (_, given, path) => {
    const { client } = await scene()
    expectInvalid(await client.post('/webhooks/subscribe', settings({ destinationIps: given })), path, /must/)
  })

  test('refuse a host with an address outside, when it is saved or changed', async () => {
    const { rig, client } = await scene()
    setAddresses(rig, HOST, [PUBLIC, '8.8.8.8'])
    const outside = /every address of hooks.example.com, which has 8.8.8.8/
    const answer = await client.post('/webhooks/subscribe', settings({ destinationIps }))
    expectInvalid(answer, 'destinationIps', outside)
    const { id } = await client.subscribe(settings())
    const patch = (json: object) => client.call('PATCH', `/webhooks/${id}`, { json })
    expectInvalid(await patch({ destinationIps }), 'destinationIps', outside)
    setAddresses(rig, 'b.example.com', [PUBLIC])
    expect((await patch({ url: 'https://b.example.com/', destinationIps })).status).toBe(200)
    expectInvalid(await patch({ url: URL }), 'destinationIps', outside)
  })

  test('let nothing out to a host that has moved', async () => {
    const { rig, client, publish } = await scene()
    setAddresses(rig, HOST, [PUBLIC], 5)
    await client.subscribe(settings({ destinationIps }))
    expect(await publish()).toMatchObject({ state: 1 })
    setAddresses(rig, HOST, ['8.8.8.8'], 5)
    rig.clock.nowMs += 5_000
    expect(await publish()).toMatchObject({ error: 'blocked' })
    expect(sentPosts(rig)).toHaveLength(1)
  })

  test('let nothing out of a batch either', async () => {
    const { rig, publish } = await scene()
    setAddresses(rig, HOST, ['8.8.8.8'])
    const batchSettings = { enabled: true, maxEvents: 1, maxWaitTime: 1, maxBytes: 100_000, flushOnEvent: [] }
    await rig.subscribe({ url: URL, destinationIps, batchSettings })
    expect(await publish()).toMatchObject({ error: 'blocked' })
    expect(sentPosts(rig)).toEqual([])
  })

  test('refuse a host without address', async () => {
    const { rig, client } = await scene()
    setDnsAnswer(rig, HOST, dnsAnswer('A', [], 0, 3))
    const answer = await client.post('/webhooks/subscribe', settings({ destinationIps }))
    expectInvalid(answer, 'url', /has none/)
  })

  test('need a server to ask', async () => {
    const { rig, client, publish } = await scene({ dnsOverHttpsUrl: null })
    const answer = await client.post('/webhooks/subscribe', settings({ destinationIps }))
    expectInvalid(answer, 'destinationIps', /DNS_OVER_HTTPS_URL/)
    await rig.subscribe({ url: URL, destinationIps })
    expect(await publish()).toMatchObject({ state: 2, error: 'internal', due_at_ms: expect.any(Number) })
    expect(sentPosts(rig)).toEqual([])
  })

  test('need none for an address, in local runs', async () => {
    const { rig, client, publish } = await scene({ dnsOverHttpsUrl: null, allowPrivateDestinations: true })
    const local = (url: string) => settings({ url, destinationIps: ['127.0.0.0/8', '::1'] })
    await client.subscribe(local('http://127.0.0.1:3000/'))
    await client.subscribe(local('http://[::1]:3000/'))
    const outside = await client.post('/webhooks/subscribe', local('http://10.0.0.1/'))
    expectInvalid(outside, 'destinationIps', /which has 10.0.0.1/)
    await publish()
    expect(sentPosts(rig)).toHaveLength(2)
  })
})

describe('a DNS server that does not answer as it should', () => {
  const broken: [string, Receiver][] = [
    ['answers 500', () => new Response('no', { status: 500 })],
    ['answers nonsense', () => new Response('<html>')],
    ['cannot be reached', () => Promise.reject(new Error('connection refused'))],
    ['says that it failed', dnsAnswer('A', [], 0, 2)],
    ['hangs', hang],
  ]
  test.each(broken)(
    'and %s: nothing is sent, and the delivery is tried again until it is well',
    async (_, receiver) => {
      const { rig, publish } = await scene()
      setDnsAnswer(rig, HOST, receiver)
      await rig.subscribe({ url: URL })
      expect(await publish()).toMatchObject({ state: 2, error: 'internal', due_at_ms: expect.any(Number) })
      expect(sentPosts(rig)).toEqual([])
      setAddresses(rig, HOST, [PUBLIC])
      rig.clock.nowMs += 60_000
      await rig.sweep()
      await rig.drain()
      expect(await rig.deliveries()).toMatchObject([{ state: 1, attempts: 2 }])
      expect(sentPosts(rig)).toHaveLength(1)
    },
  )

  test.each(broken.slice(0, 2))('and %s: a subscription is refused for now', async (_, receiver) => {
    const { rig, client } = await scene()
    setDnsAnswer(rig, HOST, receiver)
    const answer = await client.post('/webhooks/subscribe', settings())
    expectRefusal(answer, 503, 'unavailable')
    expect(answer.headers.get('retry-after')).toBe('5')
    expect(answer.error.details).toMatchObject([{ path: 'url' }])
  })

  test('does not count against the receiver', async () => {
    const { rig } = await scene()
    setDnsAnswer(rig, HOST, () => new Response('no', { status: 500 }))
    const subscription = await rig.subscribe({ url: URL, retryPolicy: { schedule: [] } })
    await rig.publish(...Array.from({ length: 20 }, () => ({})))
    await rig.drain()
    const { breaker } = (await clientOf(rig).get(`/webhooks/${subscription.id}`)).data
    expect(breaker).toMatchObject({ state: 'closed', faultsInRow: 0 })
  })
})

test('a host without address is the receiver’s fault, and tried again', async () => {
  const { rig, client, publish } = await scene()
  setDnsAnswer(rig, HOST, dnsAnswer('A', [], 0, 3))
  const { id } = await client.subscribe(settings())
  expect(await publish()).toMatchObject({ state: 2, error: 'dns', due_at_ms: expect.any(Number) })
  const { data } = await client.get(`/webhooks/${id}/logs`)
  expect(JSON.stringify(data)).toContain('hooks.example.com has none')
})

test('deliveries to one host ask once while its answer lives', async () => {
  const { rig } = await scene()
  setAddresses(rig, HOST, [PUBLIC], 60)
  for (const path of ['a', 'b', 'c']) await rig.subscribe({ url: `https://${HOST}/${path}` })
  await rig.publish({}, {}, {})
  await rig.drain()
  expect(sentPosts(rig)).toHaveLength(9)
  expect(questionsAbout(rig, HOST)).toBe(1)
})
