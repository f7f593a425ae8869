import { Webhook } from 'standardwebhooks'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import {
  expectInvalid,
  expectRefusal,
  type SubscriptionAnswer,
} from '../../../support/process/http-client.ts'
import {
  answer,
  createRig,
  freshStore,
  hang,
  type Post,
  type Receiver,
  SECRET,
} from '../../../support/rig/builders.ts'
import { clientOf } from '../../../support/rig/rig-client.ts'

beforeEach(freshStore)

const URL = 'https://hooks.example.com/a'
const tokenIn = ({ body }: Post) => (JSON.parse(body) as { data: { token: string } }).data.token
const isHandshake = ({ body }: Post) => body === ''

/** Answers a challenge by its token, and refuses the handshake that comes before. */
const repeating =
  (bodyOf: (token: string, post: Post) => string): Receiver =>
  (post) =>
    isHandshake(post) ? new Response('', { status: 405 }) : new Response(bodyOf(tokenIn(post), post))
const repeats = repeating((token) => token)
/** Answers the handshake, and no event. */
const welcomes = (origin: string): Receiver => {
  const headers = { 'WebHook-Allowed-Origin': origin }
  return (post) => (isHandshake(post) ? new Response(null, { headers }) : new Response('no', { status: 500 }))
}

async function scene(receiver: Receiver = repeats, settings: object = {}) {
  const rig = await createRig({ settings: { ownHostnames: ['relay.example.com'] } })
  const client = clientOf(rig)
  await client.call('PUT', `/workspaces/${rig.workspace}`, { json: { verifyOwnership: true } })
  rig.receivers.set(URL, receiver)
  const created = await client.subscribe({ url: URL, secret: SECRET, ...settings })
  const shown = async (id = created.id) => (await client.get<SubscriptionAnswer>(`/webhooks/${id}`)).data
  const patch = (json: object) => client.call('PATCH', `/webhooks/${created.id}`, { json })
  const challenged = async () => {
    await vi.waitUntil(() => rig.retries.visible > 0, { timeout: 4000, interval: 5 })
    await rig.drain()
  }
  const publish = async () => {
    await rig.publish({})
    await rig.drain()
    return (await rig.deliveries()).at(-1)
  }
  return { rig, client, created, shown, patch, challenged, publish }
}

const WAITING = { active: false, disabledReason: 'unverified' }

test('a subscription of an unknown host waits for its answer, and gets nothing before', async () => {
  const { rig, client, created, publish } = await scene(answer(500))
  expect(created).toMatchObject({ ...WAITING, verification: { challengedAt: null, problem: null } })
  expect(await publish()).toBeUndefined()
  expectRefusal(await client.post(`/webhooks/${created.id}/test`), 409, 'conflict')
  expect(rig.posts.filter(({ body }) => !body.includes('posthorn.challenge') && body !== '')).toEqual([])
})

describe('a host is known once it', () => {
  test.each<[string, Receiver]>([
    ['repeats the token as its text', repeats],
    ['repeats the token with a line break', repeating((token) => `${token}\n`)],
    ['repeats the token in JSON', repeating((token) => JSON.stringify({ ok: true, token }))],
    ['allows any origin', welcomes('*')],
    ['allows the origin of the relay', welcomes('Relay.example.com')],
  ])('%s', async (_, receiver) => {
    const { rig, client, shown, challenged, publish } = await scene(receiver)
    await challenged()
    expect(await shown()).toMatchObject({ active: true, disabledReason: null, verification: null })
    const sent = rig.posts.length
    rig.receivers.set(URL, answer(200))
    expect(await publish()).toMatchObject({ state: 1 })
    expect(rig.posts).toHaveLength(sent + 1)
    expect(await client.subscribe({ url: 'https://hooks.example.com/b' })).toMatchObject({ active: true })
    const { data } = await client.get<unknown[]>('/events')
    expect(data).toHaveLength(1)
  })
})

describe('a host is not known when it', () => {
  const status = (code: number) => (post: Post) =>
    new Response(isHandshake(post) ? '' : tokenIn(post), { status: isHandshake(post) ? 405 : code })
  test.each<[string, Receiver, RegExp]>([
    ['answers 200 to everything', answer(200), /did not repeat its token/],
    ['echoes the request', repeating((_, { body }) => body), /did not repeat its token/],
    ['has the token among other words', repeating((token) => `token: ${token}`), /did not repeat/],
    ['repeats another token', repeating((token) => `${token}x`), /did not repeat/],
    ['has the token in a list', repeating((token) => JSON.stringify([token])), /did not repeat/],
    ['repeats it with 500', status(500), /answered 500/],
    [
      'redirects',
      () => new Response('', { status: 302, headers: { location: 'https://a.com/' } }),
      /answered 302/,
    ],
    ['allows another origin', welcomes('relay.example.com.evil.com'), /answered 500/],
    ['allows no origin', welcomes(''), /answered 500/],
    ['breaks off', () => Promise.reject(new Error('connection refused')), /was not answered \(connection\)/],
  ])('%s', async (_, receiver, problem) => {
    const { rig, shown, challenged } = await scene(receiver)
    await challenged()
    expect(await shown()).toMatchObject({
      ...WAITING,
      verification: {
        challengedAt: new Date(rig.clock.nowMs).toISOString(),
        problem: expect.stringMatching(problem),
      },
    })
  })

  test('hangs', async () => {
    const { shown, challenged } = await scene(hang, { timeoutSeconds: 1 })
    await challenged()
    const problem = expect.stringMatching(/timeout_headers/)
    expect(await shown()).toMatchObject({ ...WAITING, verification: { problem } })
  })
})

test('the challenge is signed and authenticated as deliveries are, and shaped by no template', async () => {
  const transform = { template: '{{ data.token }}', contentType: 'text/plain' }
  const auth = { type: 'bearer', token: 'very-secret' }
  const { rig, challenged } = await scene(repeats, { profile: 'standard-webhooks', transform, auth })
  await challenged()
  const [handshake, event] = rig.posts as [Post, Post]
  expect(Object.fromEntries(handshake.headers)).toEqual({
    'user-agent': expect.stringMatching(/^Posthorn/),
    'webhook-request-origin': 'relay.example.com',
  })
  expect([handshake.redirect, event.redirect]).toEqual(['manual', 'manual'])
  expect(event.headers.get('authorization')).toBe('Bearer very-secret')
  const headers = Object.fromEntries(event.headers)
  vi.useFakeTimers({ now: rig.clock.nowMs, toFake: ['Date'] })
  try {
    expect(new Webhook(SECRET).verify(event.body, headers)).toMatchObject({ type: 'posthorn.challenge' })
  } finally {
    vi.useRealTimers()
  }
})

describe('a change', () => {
  test('to an unknown host waits for its answer, and to a known one does not', async () => {
    const { rig, patch, shown, challenged } = await scene()
    await challenged()
    const other = 'https://other.example.net/'
    rig.receivers.set(other, answer(404))
    expect((await patch({ url: other })).data).toMatchObject(WAITING)
    await challenged()
    expect(await shown()).toMatchObject({ verification: { problem: expect.stringMatching(/404/) } })
    expect((await patch({ url: URL })).data).toMatchObject({ active: true, verification: null })
  })

  test('to another path or name of a verified one stays active', async () => {
    const { patch, challenged } = await scene()
    await challenged()
    expect((await patch({ url: 'https://hooks.example.com/b', name: 'x' })).data).toMatchObject({
      active: true,
    })
    expect((await patch({ url: 'https://hooks.example.com:8443/b' })).data).toMatchObject(WAITING)
  })

  test('of an unverified one makes it neither active nor challenged again, unless its address moves', async () => {
    const { rig, patch, challenged } = await scene(answer(500))
    await challenged()
    const sent = rig.posts.length
    expect((await patch({ name: 'x', active: true })).data).toMatchObject(WAITING)
    expect(rig.retries.bodies).toEqual([])
    expect(rig.posts).toHaveLength(sent)
    expect((await patch({ active: false })).data).toMatchObject({ active: false, disabledReason: 'manual' })
  })

  test('while it is challenged keeps the answer from counting for another address', async () => {
    const other = 'https://other.example.net/'
    const { rig, patch, shown, challenged } = await scene(async (post) => {
      if (!isHandshake(post)) await patch({ url: other })
      return repeats(post, null)
    })
    rig.receivers.set(other, answer(500))
    await challenged()
    expect(await shown()).toMatchObject({ url: other, ...WAITING })
  })
})

test('a test event that is under way when the address moves to an unknown host does not go there', async () => {
  const { rig, client, created, patch, challenged } = await scene()
  await challenged()
  const other = 'https://other.example.net/'
  rig.receivers.set(other, answer(500))
  const testing = client.post(`/webhooks/${created.id}/test`)
  const queues = [rig.fast, rig.unproven]
  await vi.waitUntil(() => queues.some((queue) => queue.visible > 0), { timeout: 4000, interval: 5 })
  expect((await patch({ url: other })).data).toMatchObject(WAITING)
  for (const queue of queues) await rig.consume(queue)
  expect(await testing).toMatchObject({ status: 200, data: { status: 'skipped' } })
  expect(rig.posts.filter(({ url, body }) => url === other && !body.includes('posthorn.challenge'))).toEqual(
    [],
  )
})

describe('enabling', () => {
  test('an unverified subscription challenges its host', async () => {
    const { rig, client, created, shown, challenged } = await scene(answer(500), { active: false })
    expect(created).toMatchObject({ active: false, disabledReason: 'manual' })
    expect(rig.posts).toEqual([])
    rig.receivers.set(URL, repeats)
    expect((await client.post(`/webhooks/${created.id}/enable`)).data).toMatchObject(WAITING)
    await challenged()
    expect(await shown()).toMatchObject({ active: true })
  })

  test('is enough once the workspace asks no more', async () => {
    const { rig, client, created, challenged } = await scene(answer(500))
    await challenged()
    await client.call('PUT', `/workspaces/${rig.workspace}`, { json: { verifyOwnership: false } })
    expect((await client.post(`/webhooks/${created.id}/enable`)).data).toMatchObject({ active: true })
  })
})

test('a subscription of before the setting stays active, and is not asked when it is enabled though it is active', async () => {
  const { rig, client, publish } = await scene(answer(500))
  const before = await rig.subscribe({ url: 'https://before.example.com/' })
  expect((await client.post(`/webhooks/${before.id}/enable`)).data).toMatchObject({ active: true })
  expect(await publish()).toBeDefined()
  expect(rig.postsTo(before)).toHaveLength(1)
})

describe('POST /webhooks/{id}/verify', () => {
  test('challenges again, not within ten seconds, and not what waits for no answer', async () => {
    const { rig, client, created, shown, challenged } = await scene(answer(500))
    const verify = () => client.post(`/webhooks/${created.id}/verify`)
    await challenged()
    const soon = await verify()
    expectRefusal(soon, 429, 'rate_limited')
    expect(soon.headers.get('retry-after')).toBe('10')
    rig.clock.nowMs += 10_000
    rig.receivers.set(URL, repeats)
    expect(await verify()).toMatchObject({ status: 202, data: WAITING })
    await challenged()
    expect(await shown()).toMatchObject({ active: true })
    expectRefusal(await verify(), 409, 'conflict')
  })

  test('is 404 for another workspace’s', async () => {
    const { created } = await scene(answer(500))
    const other = clientOf(await createRig())
    expectRefusal(await other.post(`/webhooks/${created.id}/verify`), 404, 'not_found')
  })
})

test('a host that one workspace knows is unknown in another', async () => {
  const one = await scene()
  await one.challenged()
  const other = await scene(answer(500))
  expect(other.created).toMatchObject(WAITING)
})

test('a dispatch to an unknown host is refused, and to a known one is not', async () => {
  const { client, challenged } = await scene()
  const dispatch = (url: string) => client.post('/dispatch', { url, secret: SECRET, event: 'a', data: {} })
  expectInvalid(await dispatch(URL), 'url', /answered a challenge/)
  await challenged()
  expect((await dispatch(URL)).status).toBe(202)
  expectInvalid(await dispatch('https://other.example.net/'), 'url', /answered a challenge/)
})

test('an unverified subscription that is deleted is not challenged', async () => {
  const { rig, client, created } = await scene(repeats)
  await client.call('DELETE', `/webhooks/${created.id}`)
  await vi.waitUntil(() => rig.retries.visible > 0, { timeout: 4000, interval: 5 })
  await rig.drain()
  expect(rig.posts).toEqual([])
})
