import { Webhook } from 'standardwebhooks'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  type Client,
  expectInvalid,
  expectRefusal,
  type SubscriptionAnswer,
} from '../../../../support/process/http-client.ts'
import { hmacHex } from '../../../../support/receivers/hmac.ts'
import { createRig, freshStore, type Post, type Rig } from '../../../../support/rig/builders.ts'
import { clientOf, publishAndDeliver } from '../../../../support/rig/rig-client.ts'

const OLD = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const NEW = `whsec_${btoa('the new secret of acme')}`
const DAY_MS = 86_400_000

type KeySet = { keys: (JsonWebKey & { x: string })[] }

/** A subscription with its rig, its client and what its receiver gets next. */
async function subscribed(settings: Record<string, unknown> = {}) {
  const rig = await createRig()
  const client = clientOf(rig)
  const { id, url } = await client.subscribe({ secret: OLD, ...settings })
  const rotate = (json: object = {}) => client.post<SubscriptionAnswer>(`/webhooks/${id}/rotate-secret`, json)
  return { rig, client, id, url, rotate, next: () => nextPost(rig, client, url) }
}

async function nextPost(rig: Rig, client: Client, url: string): Promise<Post> {
  const before = rig.posts.length
  await publishAndDeliver(rig, client, { event: 'a', data: {} })
  const posts = rig.posts.slice(before)
  expect(posts.map((post) => post.url)).toEqual([url])
  return posts[0]!
}

/** Which of the secrets sign a delivery, by the signatures that the library of Standard Webhooks makes. */
function signers({ headers, body }: Post, secrets: Record<string, string>): string[] {
  const sent = (headers.get('webhook-signature') ?? '').split(' ')
  const at = new Date(Number(headers.get('webhook-timestamp')) * 1000)
  const byName = Object.entries(secrets).map(([name, secret]) => {
    return [name, new Webhook(secret).sign(headers.get('webhook-id') ?? '', at, body)] as const
  })
  return sent.map((each) => byName.find(([, signature]) => signature === each)?.[0] ?? each)
}

const signed = async (secret: string, body: string) => `sha256=${await hmacHex(secret, body)}`

beforeEach(freshStore)

describe('POST /webhooks/{id}/rotate-secret', () => {
  test('lets receivers verify with the old and with the new secret for a day, and says until when', async () => {
    const { rig, rotate, next } = await subscribed()
    rig.clock.nowMs = Date.now()
    const { status, data, text } = await rotate()
    expect(status, text).toBe(200)
    expect(atob(data.secret.replace(/^whsec_/, ''))).toHaveLength(32)
    expect(data['previousSecretValidUntil']).toBe(new Date(rig.clock.nowMs + DAY_MS).toISOString())
    const { headers, body } = await next()
    for (const secret of [OLD, data.secret]) {
      expect(new Webhook(secret).verify(body, Object.fromEntries(headers))).toEqual(JSON.parse(body))
    }
    const other = new Webhook(`whsec_${btoa('of somebody else')}`)
    expect(() => other.verify(body, Object.fromEntries(headers))).toThrow(/No matching signature/)
  })

  test('ends the overlap at its time, for signatures and answers alike', async () => {
    const { rig, client, id, rotate, next } = await subscribed()
    await rotate({ secret: NEW, overlapSeconds: 60 })
    const secrets = { OLD, NEW }
    const shown = async () => (await client.get<SubscriptionAnswer>(`/webhooks/${id}`)).data
    expect(signers(await next(), secrets)).toEqual(['OLD', 'NEW'])
    rig.clock.nowMs += 59_999
    expect(signers(await next(), secrets)).toEqual(['OLD', 'NEW'])
    expect(await shown()).toHaveProperty('previousSecretValidUntil')
    rig.clock.nowMs += 1
    const post = await next()
    expect(signers(post, secrets)).toEqual(['NEW'])
    expect(post.headers.get('x-signature')).toBe(await signed(NEW, post.body))
    expect(await shown()).not.toHaveProperty('previousSecretValidUntil')
    const list = await client.get<SubscriptionAnswer[]>('/webhooks')
    expect(list.data[0]).not.toHaveProperty('previousSecretValidUntil')
  })

  test('with overlapSeconds 0 ends the old secret at once', async () => {
    const { rotate, next } = await subscribed()
    const { data } = await rotate({ secret: NEW, overlapSeconds: 0 })
    expect(data).not.toHaveProperty('previousSecretValidUntil')
    expect(signers(await next(), { OLD, NEW })).toEqual(['NEW'])
  })

  test('takes a given secret, answers with it once and masks it ever after', async () => {
    const { client, id, rotate } = await subscribed()
    expect((await rotate({ secret: NEW })).data.secret).toBe(NEW)
    const shown = await client.get<SubscriptionAnswer>(`/webhooks/${id}`)
    expect(shown.data.secret).toBe('********')
    expect(shown.text).not.toMatch(/whsec_/)
    expect((await client.get(`/webhooks/${id}/secret`)).data).toEqual({ secret: NEW })
  })

  test('takes one that can be guessed, with a warning', async () => {
    const { rotate } = await subscribed()
    const { status, data } = await rotate({ secret: 'password123' })
    expect([status, data]).toMatchObject([200, { warnings: [{ path: 'secret' }] }])
  })

  test('twice keeps the secret before the last one, no more', async () => {
    const { rotate, next } = await subscribed()
    const THIRD = `whsec_${btoa('the third one of them')}`
    await rotate({ secret: NEW })
    await rotate({ secret: THIRD })
    expect(signers(await next(), { OLD, NEW, THIRD })).toEqual(['NEW', 'THIRD'])
  })

  test.each([
    ['a short secret', { secret: 'abc' }, 'secret', /at least 8 characters/],
    ['quotes', { secret: '"in-quotes"' }, 'secret', /in quotes/],
    ['no base64', { secret: 'whsec_no*base64' }, 'secret', /valid base64/],
    ['the mask that answers show', { secret: '********' }, 'secret', /not what answers show/],
    ['null', { secret: null }, 'secret', /a string of 8-256/],
    ['a negative overlap', { overlapSeconds: -1 }, 'overlapSeconds', /must be 0-2592000/],
    ['31 days', { overlapSeconds: 31 * 86_400 }, 'overlapSeconds', /must be 0-2592000/],
    ['half a second', { overlapSeconds: 0.5 }, 'overlapSeconds', /whole seconds/],
    ['an unknown field', { overlap: 5 }, 'overlap', /is not a field/],
  ])('refuses %s and changes nothing', async (_, json, path, message) => {
    const { client, id, next, rotate } = await subscribed()
    expectInvalid(await rotate(json), path, message)
    expect((await client.get(`/webhooks/${id}/secret`)).data).toEqual({ secret: OLD })
    expect(signers(await next(), { OLD, NEW })).toEqual(['OLD'])
  })

  test('of another tenant, of none and of a deleted subscription is 404', async () => {
    const { rig, client, id, rotate } = await subscribed()
    const other = clientOf(rig, 'ws-other')
    expectRefusal(await other.post(`/webhooks/${id}/rotate-secret`), 404, 'not_found')
    expectRefusal(await client.post('/webhooks/webhook_0/rotate-secret'), 404, 'not_found')
    expect((await client.get(`/webhooks/${id}/secret`)).data).toEqual({ secret: OLD })
    await client.call('DELETE', `/webhooks/${id}`)
    expectRefusal(await rotate(), 404, 'not_found')
  })

  test('in a single-valued header keeps the old signature, with the new one beside it as -Next', async () => {
    const { rig, rotate, next } = await subscribed({ profile: 'bigledger' })
    await rotate({ secret: NEW, overlapSeconds: 60 })
    const during = await next()
    expect(during.headers.get('x-signature')).toBe(await signed(OLD, during.body))
    expect(during.headers.get('x-signature-next')).toBe(await signed(NEW, during.body))
    rig.clock.nowMs += 60_000
    const after = await next()
    expect(after.headers.get('x-signature')).toBe(await signed(NEW, after.body))
    expect(after.headers.has('x-signature-next')).toBe(false)
  })
})

test('PUT with a secret replaces it at once, in the middle of an overlap too', async () => {
  const { client, id, rotate, next } = await subscribed()
  await rotate({ secret: NEW })
  const LAST = `whsec_${btoa('put is immediate and last')}`
  const changed = await client.call('PUT', `/webhooks/${id}`, { json: { secret: LAST } })
  expect(changed.data).not.toHaveProperty('previousSecretValidUntil')
  expect(signers(await next(), { OLD, NEW, LAST })).toEqual(['LAST'])
})

describe('GET /jwks/{id}', () => {
  /** Outside the API and without a key: receivers have none. */
  const keySet = (client: Client, id: string) =>
    client.get(`/../../jwks/${id}`, { headers: { Authorization: null } })
  const keysOf = async (client: Client, id: string) => {
    const answer = await keySet(client, id)
    expect(answer.status, answer.text).toBe(200)
    return (JSON.parse(answer.text) as KeySet).keys
  }

  async function acceptsV1a({ headers, body }: Post, jwk: JsonWebKey): Promise<boolean> {
    const signature = (headers.get('webhook-signature') ?? '')
      .split(' ')
      .filter((each) => each.startsWith('v1a,'))
    const key = await crypto.subtle.importKey('jwk', jwk, 'Ed25519', false, ['verify'])
    const content = `${headers.get('webhook-id')}.${headers.get('webhook-timestamp')}.${body}`
    const verified = signature.map((each) => {
      const bytes = Uint8Array.from(atob(each.slice(4)), (char) => char.charCodeAt(0))
      return crypto.subtle.verify('Ed25519', key, bytes, new TextEncoder().encode(content))
    })
    return (await Promise.all(verified)).includes(true)
  }

  test('shows the key before a rotation, both during the overlap, and the new one after it', async () => {
    const { rig, client, id, rotate, next } = await subscribed({ asymmetric: true })
    const [before, ...none] = await keysOf(client, id)
    expect(none).toEqual([])
    expect(before).toMatchObject({ kty: 'OKP', crv: 'Ed25519', use: 'sig', alg: 'EdDSA' })
    expect(before).not.toHaveProperty('d')
    expect(await acceptsV1a(await next(), before!)).toBe(true)
    const { data } = await rotate({ secret: NEW, overlapSeconds: 60 })
    expect(data['publicKeys']).toHaveLength(2)
    const both = await keysOf(client, id)
    expect(both.map(({ x }) => x)).toContain(before?.x)
    expect(both).toHaveLength(2)
    const during = await next()
    for (const key of both) expect(await acceptsV1a(during, key)).toBe(true)
    rig.clock.nowMs += 60_000
    const [after, ...more] = await keysOf(client, id)
    expect(more).toEqual([])
    expect(after?.x).not.toBe(before?.x)
    const last = await next()
    expect([await acceptsV1a(last, after!), await acceptsV1a(last, before!)]).toEqual([true, false])
    expect((await client.get<SubscriptionAnswer>(`/webhooks/${id}`)).data['publicKeys']).toHaveLength(1)
  })

  test('is 404 for a subscription without keys, a deleted one and an unknown id', async () => {
    const { client, id } = await subscribed()
    const asymmetric = await client.subscribe({ asymmetric: true })
    expect(await keysOf(client, asymmetric.id)).toHaveLength(1)
    await client.call('DELETE', `/webhooks/${asymmetric.id}`)
    for (const each of [id, asymmetric.id, 'webhook_0', '__proto__']) {
      expectRefusal(await keySet(client, each), 404, 'not_found')
    }
  })
})
