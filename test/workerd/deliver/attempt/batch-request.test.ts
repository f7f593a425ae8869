import { env } from 'cloudflare:workers'
import { Webhook } from 'standardwebhooks'
import { describe, expect, test } from 'vitest'
import { PayloadRenderer } from '../../../../src/deliver/attempt/payload/payload-renderer.ts'
import {
  type AddressedBatch,
  type BatchShares,
  buildBatchRequest,
  type RequestDeps,
} from '../../../../src/deliver/attempt/request.ts'
import { TokenCache } from '../../../../src/destination/token-cache.ts'
import type { Subscription } from '../../../../src/subscription/subscription.ts'
import { SECRET } from '../../../support/rig/builders.ts'
import { drafted, requestDeps, requestOf, type Settings, stored } from '../paced/batch/batches.ts'

const NOW_MS = Date.now()
const BATCH = {
  id: 'batch_123456789',
  attemptNo: 1,
  boundAtMs: Date.UTC(2024, 0, 15, 10, 31, 30),
  payloadKind: 'none',
  kept: null,
} as const
const DATA = '{ "total": 2567.50, "n": 12345678901234567890, "name": "Zoë" }'
const MEMBERS = [{ event: await stored(1, DATA) }, { event: await stored(2, DATA, 'payment.received') }]

/** A subscription, and what making its requests takes. */
async function made(input: Settings = {}, authorize: RequestDeps['authorize'] = null) {
  const deps = { ...requestDeps(), authorize }
  return { deps, subscription: await drafted(deps, input) }
}

async function batchOf(input: Settings = {}, change: Partial<AddressedBatch> = {}) {
  const { deps, subscription } = await made(input)
  return await batchTo(deps, subscription, change)
}

function batchTo(deps: RequestDeps, subscription: Subscription, change: Partial<AddressedBatch> = {}) {
  const renderer = new PayloadRenderer(env.BODIES)
  const addressed = { subscription, batch: BATCH, members: MEMBERS, maxBytes: 1_000_000, renderer, ...change }
  return buildBatchRequest(deps, addressed, NOW_MS)
}

const sharesOf = ({ carried, failed, overflow }: BatchShares) => ({ carried, failed, overflow })

describe('the request of a batch', () => {
  test('is verified by the Standard Webhooks library under the id of the batch, its numbers to the byte', async () => {
    const built = await batchOf({
      headers: { 'X-Team': 'billing' },
      auth: { type: 'bearer', token: 'secret-token' },
    })
    const { headers, lower, body } = requestOf(built)
    const read = new Webhook(SECRET).verify(body, headers) as { batchId: string; events: { id: string }[] }
    expect(read).toEqual(JSON.parse(body))
    expect(read).toMatchObject({ batch: true, batchId: BATCH.id, events: [{ id: 'evt_1' }, { id: 'evt_2' }] })
    expect(body.split(`"data":${DATA},`)).toHaveLength(3)
    expect(lower).toMatchObject({
      'webhook-id': BATCH.id,
      'webhook-timestamp': String(Math.floor(NOW_MS / 1000)),
      'content-type': 'application/json',
      'user-agent': 'Posthorn/test',
      'x-team': 'billing',
      authorization: 'Bearer ********',
    })
    expect(sharesOf(built)).toEqual({ carried: [1, 2], failed: [], overflow: [] })
  })

  test('names "batch" as its event where a scheme names one', async () => {
    const signature = { header: 'X-Sig', content: '{event}.{id}.{body}' }
    const custom = {
      signature,
      eventHeader: 'X-Event',
      idHeader: 'X-Id',
    }
    const { lower } = requestOf(await batchOf({ profile: 'custom', custom }))
    expect(lower).toMatchObject({ 'x-event': 'batch', 'x-id': BATCH.id })
  })

  test('carries what fits and says what does not, and who failed', async () => {
    const template = '{"n":{{ 1 | divided_by: data.n }}}'
    const transform = { template, contentType: 'application/json' }
    const members = await Promise.all(
      [1, 0, 2, 4].map(async (n, seq) => ({ event: await stored(seq, `{"n":${n}}`) })),
    )
    const maxBytes = requestOf(await batchOf({ transform }, { members: [members[0]!, members[2]!] })).body
      .length
    const built = await batchOf({ transform }, { members, maxBytes })
    expect(sharesOf(built)).toEqual({
      carried: [0, 2],
      failed: [{ seq: 1, fault: 'template', message: expect.stringContaining('divided') }],
      overflow: [3],
    })
    expect(JSON.parse(requestOf(built).body)).toMatchObject({ events: [{ n: 1 }, { n: 0.5 }] })
  })

  test('is not made where every member fails: each has its reason', async () => {
    const transform = { template: '{% for i in (1..20000) %}{% endfor %}', contentType: 'application/json' }
    const built = await batchOf({ transform })
    expect(built).toMatchObject({
      kind: 'unsent',
      fault: 'template',
      payload: null,
      carried: [],
      overflow: [],
    })
    expect(built.failed.map(({ seq, fault }) => [seq, fault])).toEqual([
      [1, 'template'],
      [2, 'template'],
    ])
  })

  test('is not made to where it must not go, and no member is to blame', async () => {
    const { deps, subscription } = await made()
    const settings = { ...subscription.settings, url: 'https://127.0.0.1/' }
    const built = await batchTo(deps, { ...subscription, settings })
    expect(built).toMatchObject({
      kind: 'unsent',
      fault: 'blocked',
      carried: [1, 2],
      failed: [],
      overflow: [],
    })
  })

  test('is not made for want of a token, but its payload is there to be kept', async () => {
    const auth = {
      type: 'oauth2',
      tokenUrl: 'https://auth.example.com/token',
      clientId: 'c',
      clientSecret: 's',
    } as const
    const { vault, now, destinations, userAgent } = requestDeps()
    const fetch = async () => new Response('no', { status: 500 })
    const authorize = { db: env.DB, vault, now, destinations, userAgent, fetch, tokens: new TokenCache() }
    const { deps, subscription } = await made({ auth, profile: 'core' }, authorize)
    const built = await batchTo(deps, subscription)
    expect(built).toMatchObject({ kind: 'unsent', fault: 'auth', carried: [1, 2], payload: { kind: 'kept' } })
    expect(built.payload?.text).toMatch(/^\{"batch":true,/)
  })
})

describe('a retry of a batch', () => {
  test('sends default payloads again to the byte, whatever form and limit the settings have now', async () => {
    const { body } = requestOf(await batchOf())
    const batch = { ...BATCH, payloadKind: 'default' as const }
    const again = await batchOf({ transform: { template: { a: 1 } } }, { batch, maxBytes: 1 })
    expect(requestOf(again).body).toBe(body)
    expect(sharesOf(again)).toEqual({ carried: [1, 2], failed: [], overflow: [] })
  })

  test.each(['inline', 'in R2'])(
    'sends kept bytes %s as they are, signed under the same id',
    async (place) => {
      const text = '[{"as":"kept"}]'
      await env.BODIES.put('kept-batch', text)
      const where = place === 'inline' ? { body: text, bodyKey: null } : { body: null, bodyKey: 'kept-batch' }
      const kept = { contentType: 'application/cloudevents-batch+json', ...where }
      const built = await batchOf({}, { batch: { ...BATCH, payloadKind: 'kept', kept }, maxBytes: 1 })
      const { headers, lower, body } = requestOf(built)
      expect([body, lower['content-type'], lower['webhook-id']]).toEqual([text, kept.contentType, BATCH.id])
      expect(new Webhook(SECRET).verify(body, headers)).toEqual([{ as: 'kept' }])
      expect(sharesOf(built)).toEqual({ carried: [1, 2], failed: [], overflow: [] })
    },
  )

  test.each([null, { contentType: 'application/json', body: null, bodyKey: 'gone' }])(
    'whose kept bytes are gone fails as a whole: %j',
    async (kept) => {
      const built = await batchOf({}, { batch: { ...BATCH, payloadKind: 'kept', kept } })
      expect(built).toMatchObject({
        kind: 'unsent',
        fault: 'internal',
        carried: [1, 2],
        failed: [],
        overflow: [],
      })
    },
  )
})
