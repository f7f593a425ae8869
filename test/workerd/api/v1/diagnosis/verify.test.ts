import { beforeEach, describe, expect, test } from 'vitest'
import { Client, expectInvalid, expectRefusal } from '../../../../support/process/http-client.ts'
import { clientWith } from '../../../../support/process/keys.ts'
import { createRig, freshStore } from '../../../../support/rig/builders.ts'
import { clientOf, publishAndDeliver } from '../../../../support/rig/rig-client.ts'

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const OTHER = `whsec_${btoa('a secret of another subscription')}`

type Diagnosis = { verified: boolean; cause: string | null; failed: string | null } & Record<string, unknown>

/** A delivery as its receiver got it. */
async function received(settings: Record<string, unknown> = {}) {
  const rig = await createRig()
  rig.clock.nowMs = Date.now()
  const client = clientOf(rig)
  const { id } = await client.subscribe({ secret: SECRET, ...settings })
  await publishAndDeliver(rig, client, { event: 'invoice.paid', data: { total: 2567.5, name: 'Müller' } })
  const [post] = rig.posts
  const request = { headers: Object.fromEntries(post!.headers), body: post!.body }
  const verify = (json: object) => client.post<Diagnosis>('/verify', { ...request, ...json })
  return { rig, client, id, request, verify }
}

beforeEach(freshStore)

describe('POST /verify', () => {
  test('finds a delivery genuine by its secret and by its subscription', async () => {
    const { id, verify } = await received()
    for (const keys of [{ secret: SECRET }, { webhookId: id }, { secret: SECRET, webhookId: id }]) {
      const { status, data, text } = await verify(keys)
      expect(status, text).toBe(200)
      expect(data).toMatchObject({ verified: true, failed: null, cause: null, profile: 'standard' })
    }
  })

  test.each(['standard-webhooks', 'cloudevents', 'bigledger', 'core', 'ledgerly', 'marko'])(
    'knows the deliveries of %s, and one whose body was printed again',
    async (profile) => {
      const { id, request, verify } = await received({ profile })
      expect((await verify({ webhookId: id })).data).toMatchObject({ verified: true, profile })
      const body = JSON.stringify(JSON.parse(request.body), null, 2)
      expect((await verify({ webhookId: id, body })).data).toMatchObject({
        verified: false,
        failed: 'signature',
        cause: 'body_printed',
        proven: true,
      })
    },
  )

  test('knows a custom scheme, and bytes that are no text', async () => {
    const custom = { signature: { header: 'X-Acme-Signature' } }
    const { id, request, verify } = await received({ profile: 'custom', custom })
    const bodyBase64 = btoa(unescape(encodeURIComponent(request.body)))
    const { data } = await verify({ body: undefined, bodyBase64, webhookId: id })
    expect(data).toMatchObject({ verified: true, profile: 'custom' })
    const cut = await verify({ body: undefined, bodyBase64: btoa('\xff\xfe'), webhookId: id })
    expect(cut.data).toMatchObject({ verified: false, failed: 'signature', cause: 'unknown' })
  })

  test('tells by whose secret a request was signed, and shows none', async () => {
    const { client, id, verify } = await received()
    const { id: otherId } = await client.subscribe({ secret: OTHER })
    const answers = [
      await verify({ webhookId: otherId }),
      await verify({ secret: 'the secret of somebody', webhookId: id }),
      await verify({ secret: 'the secret of somebody' }),
    ]
    expect(answers.map(({ data }) => [data.cause, data['webhookId'], data['proven']])).toEqual([
      ['other_subscription', id, true],
      ['other_secret', id, true],
      ['other_subscription', id, true],
    ])
    for (const { text } of answers) expect(text).not.toMatch(/MfKQ9r8G|whsec_|somebody/)
  })

  test('tells of a receiver that has the secret from before a rotation', async () => {
    const { rig, client, id } = await received()
    await client.post(`/webhooks/${id}/rotate-secret`, { secret: OTHER, overlapSeconds: 0 })
    rig.posts.length = 0
    await publishAndDeliver(rig, client, { event: 'a', data: {} })
    const [post] = rig.posts
    const request = { headers: Object.fromEntries(post!.headers), body: post!.body }
    const { data } = await client.post<Diagnosis>('/verify', { ...request, secret: SECRET, webhookId: id })
    expect(data).toMatchObject({ cause: 'previous_secret', webhookId: id })
  })

  test('looks at the receiver’s clock', async () => {
    const { rig, id, verify } = await received()
    const receivedAt = new Date(rig.clock.nowMs + 3_600_000).toISOString()
    const { data } = await verify({ webhookId: id, receivedAt })
    expect(data).toMatchObject({ verified: false, failed: 'timestamp', cause: 'timestamp_too_old' })
    expect((await verify({ webhookId: id, receivedAt, toleranceSeconds: 7200 })).data.verified).toBe(true)
  })

  test('tells a receiver the mistake in its own signature', async () => {
    const { verify } = await received()
    const { data } = await verify({ secret: SECRET, signature: 'ab'.repeat(32) })
    expect(data).toMatchObject({ verified: true, failed: 'receiver', cause: 'unknown' })
  })

  test('takes a secret of any caller, and names of subscriptions only with webhooks:read', async () => {
    const client = new Client()
    const { id } = await client.subscribe({ url: 'https://a.example.com/', secret: SECRET })
    const publisher = await clientWith(client, { role: 'publisher' })
    const request = { headers: { 'webhook-id': 'a' }, body: '{}' }
    expect((await publisher.post('/verify', { ...request, secret: SECRET })).status).toBe(200)
    expectRefusal(await publisher.post('/verify', { ...request, webhookId: id }), 403, 'forbidden')
    const viewer = await clientWith(client, { role: 'viewer' })
    expect((await viewer.post('/verify', { ...request, webhookId: id })).status).toBe(200)
    const foreign = await new Client().post('/verify', { ...request, webhookId: id })
    expectRefusal(foreign, 404, 'not_found')
  })

  test.each<[string, object, string, RegExp]>([
    ['no headers', { headers: undefined }, 'headers', /object/],
    ['two bodies', { bodyBase64: 'e30=' }, 'bodyBase64', /combined/],
    ['a body that is no base64', { body: undefined, bodyBase64: '{}' }, 'bodyBase64', /base64/],
    ['custom without its scheme', { profile: 'custom' }, 'custom', /given/],
    ['a scheme without custom', { custom: { signature: { header: 'X-A' } } }, 'profile', /custom/],
    ['a time that is none', { receivedAt: 'now' }, 'receivedAt', /ISO 8601/],
    ['too many secrets', { secret: Array.from({ length: 6 }, () => SECRET) }, 'secret', /1-5/],
  ])('refuses a request with %s by path', async (_, fields, path, message) => {
    expectInvalid(await new Client().post('/verify', { headers: {}, body: '{}', ...fields }), path, message)
  })
})
