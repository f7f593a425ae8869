import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { settle } from '../../../src/deliver/settle/settle.sql.ts'
import type { Subscription } from '../../../src/subscription/subscription.ts'
import { failure, settlement } from '../../support/rig/attempts.ts'
import {
  answer,
  createRig,
  freshStore,
  type Rig,
  type SubscriptionInput,
} from '../../support/rig/builders.ts'
import { meterD1 } from '../../support/rig/d1-watch.ts'
import { clientOf } from '../../support/rig/rig-client.ts'

beforeEach(freshStore)

const template = { id: '{{data.id}}', total: '{{data.total}}' }
const SHAPED: SubscriptionInput = { transform: { template } }
const DATA = { id: 'inv_1', total: 5 }

type Kept = { content_type: string; body: string | null; body_key: string | null }

const keptRows = async () => (await env.DB.prepare('SELECT * FROM kept_body').all<Kept>()).results
const payloadKinds = async () =>
  (await env.DB.prepare('SELECT payload FROM delivery').all<{ payload: number }>()).results.map(
    ({ payload }) => payload,
  )
const [NONE, DEFAULT, KEPT] = [0, 1, 2]

/** A subscription whose receiver fails until told otherwise. */
async function failing(input: SubscriptionInput, rig?: Rig) {
  const own = rig ?? (await createRig())
  const subscription = await own.subscribe(input)
  own.receivers.set(subscription.settings.url, answer(500))
  return { rig: own, subscription, change: (json: object) => change(own, subscription, json) }
}

async function change(rig: Rig, { id }: Subscription, json: object): Promise<void> {
  const changed = await clientOf(rig).call('PUT', `/webhooks/${id}`, { json })
  expect(changed.status, changed.text).toBe(200)
}

async function retry(rig: Rig, seconds = 10): Promise<void> {
  rig.clock.nowMs += seconds * 1000
  await rig.drain()
}

const bodiesTo = (rig: Rig, subscription: Subscription) => rig.postsTo(subscription).map(({ body }) => body)

describe('a first attempt that failed', () => {
  test('keeps the shaped bytes, and every retry sends them though the transform, the profile and the type changed', async () => {
    const { rig, subscription, change } = await failing(SHAPED)
    await rig.publish({ data: DATA })
    await rig.drain()
    const sent = '{"id":"inv_1","total":5}'
    expect(await keptRows()).toMatchObject([{ content_type: 'application/json', body: sent, body_key: null }])
    await change({ transform: { template: '<a/>', contentType: 'text/xml' } })
    await retry(rig)
    await change({ transform: null, profile: 'core' })
    rig.receivers.clear()
    await retry(rig, 20)
    expect(bodiesTo(rig, subscription)).toEqual([sent, sent, sent])
    expect(rig.postsTo(subscription).map(({ headers }) => headers.get('content-type'))).toEqual(
      new Array(3).fill('application/json'),
    )
    expect(await rig.deliveries()).toMatchObject([{ state: 1, attempts: 3 }])
  })

  test('keeps them beside the current URL, secret, headers and policy', async () => {
    const { rig, subscription, change } = await failing(SHAPED)
    await rig.publish({ data: DATA })
    await rig.drain()
    const url = 'https://moved.example.com/hooks'
    await change({ url, headers: { 'X-Team': 'new' }, secret: 'the-current-secret', profile: 'bigledger' })
    await retry(rig)
    const [first] = rig.postsTo(subscription)
    const again = rig.posts.find((post) => post.url === url)
    expect(again?.body).toBe(first?.body)
    expect(again?.headers.get('x-team')).toBe('new')
    expect(again?.headers.has('webhook-signature')).toBe(false)
    expect(again?.headers.get('x-signature')).not.toBe(first?.headers.get('x-signature'))
  })

  test('in the default form keeps no bytes, and a transform added since does not shape its retries', async () => {
    const { rig, subscription, change } = await failing({})
    await rig.publish({ data: DATA })
    await rig.drain()
    expect([await keptRows(), await payloadKinds()]).toEqual([[], [DEFAULT]])
    await change({ transform: { template } })
    await retry(rig)
    const [first, second] = bodiesTo(rig, subscription)
    expect(JSON.parse(first ?? '')).toMatchObject({ data: DATA })
    expect(second).toBe(first)
    await rig.publish({ data: DATA })
    await rig.drain()
    expect(bodiesTo(rig, subscription).at(-1)).toBe('{"id":"inv_1","total":5}')
  })

  test.each<[string, SubscriptionInput, boolean]>([
    ['core', { profile: 'core' }, true],
    ['marko', { profile: 'marko' }, true],
    ['cloudevents', { profile: 'cloudevents' }, true],
    ['bigledger', { profile: 'bigledger' }, false],
  ])('of profile %s keeps its bytes where they are not the default ones', async (_, input, isKept) => {
    const { rig, subscription, change } = await failing(input)
    await rig.publish({ data: DATA })
    await rig.drain()
    expect([(await keptRows()).length, await payloadKinds()]).toEqual(isKept ? [1, [KEPT]] : [0, [DEFAULT]])
    await change({ profile: 'standard-webhooks' })
    await retry(rig)
    const [first, second] = bodiesTo(rig, subscription)
    expect(second).toBe(first)
  })

  test('keeps a large text in R2', async () => {
    const { rig, subscription, change } = await failing(SHAPED)
    const total = 'é€😀'.repeat(30_000)
    await rig.publish({ data: { id: 'large', total } })
    await rig.drain()
    const [kept] = await keptRows()
    expect(kept).toMatchObject({ body: null, body_key: expect.any(String) })
    await change({ transform: null })
    await retry(rig)
    const [first, second] = bodiesTo(rig, subscription)
    expect(first === JSON.stringify({ id: 'large', total })).toBe(true)
    expect(second === first).toBe(true)
  })

  test('of a success keeps nothing', async () => {
    const rig = await createRig()
    await rig.subscribe(SHAPED)
    await rig.publish({ data: DATA })
    await rig.drain()
    expect([await keptRows(), await payloadKinds()]).toEqual([[], [NONE]])
  })

  test('keeps one subscription’s bytes from another’s', async () => {
    const rig = await createRig()
    const a = await failing({ transform: { template: 'a {{data.id}}', contentType: 'text/plain' } }, rig)
    const b = await failing({ transform: { template: 'b {{data.id}}', contentType: 'text/plain' } }, rig)
    await rig.publish({ data: { id: 1 } }, { data: { id: 2 } })
    await rig.drain()
    await a.change({ transform: null })
    await b.change({ transform: null })
    await retry(rig)
    expect(bodiesTo(rig, a.subscription).sort()).toEqual(['a 1', 'a 1', 'a 2', 'a 2'])
    expect(bodiesTo(rig, b.subscription).sort()).toEqual(['b 1', 'b 1', 'b 2', 'b 2'])
  })
})

describe('a first attempt that made no request', () => {
  test('for want of a token keeps what it had rendered', async () => {
    const auth = {
      type: 'oauth2',
      tokenUrl: 'https://auth.example.com/token',
      clientId: 'c',
      clientSecret: 's',
    } as const
    const { rig, subscription, change } = await failing({ ...SHAPED, auth })
    rig.receivers.set(auth.tokenUrl, answer(500))
    await rig.publish({ data: DATA })
    await rig.drain()
    expect(await rig.deliveries()).toMatchObject([{ state: 2, error: 'auth', attempts: 1 }])
    expect(bodiesTo(rig, subscription)).toEqual([])
    await change({ transform: null, auth: null })
    await retry(rig)
    expect(bodiesTo(rig, subscription)).toEqual(['{"id":"inv_1","total":5}'])
  })

  test('because R2 failed keeps nothing and is rendered afresh', async () => {
    const broken = { isDown: false }
    const bodies = new Proxy(env.BODIES, {
      get: (bucket, name) => {
        const member = Reflect.get(bucket, name) as unknown
        if (typeof member !== 'function') return member
        return name === 'get' && broken.isDown
          ? () => Promise.reject(new Error('R2 failed'))
          : member.bind(bucket)
      },
    })
    const { rig, subscription, change } = await failing(SHAPED, await createRig({ bodies }))
    rig.receivers.clear()
    await rig.publish({ data: { id: 'a', total: 'x'.repeat(70_000) } })
    broken.isDown = true
    await rig.drain()
    expect([await rig.deliveries(), await payloadKinds()]).toMatchObject([
      [{ state: 2, error: 'internal', due_at_ms: expect.any(Number) }],
      [NONE],
    ])
    broken.isDown = false
    await change({ transform: { template: '{{data.id}} afresh', contentType: 'text/plain' } })
    await retry(rig)
    expect(bodiesTo(rig, subscription)).toEqual(['a afresh'])
  })

  test('and could not put its large text into R2 is recorded all the same, and rendered again', async () => {
    const bodies = new Proxy(env.BODIES, {
      get: (bucket, name) => {
        const member = Reflect.get(bucket, name) as unknown
        if (typeof member !== 'function') return member
        return name === 'put' ? () => Promise.reject(new Error('R2 failed')) : member.bind(bucket)
      },
    })
    const long = '{% for i in (1..9000) %}0123456789{% endfor %}'
    const { rig, subscription } = await failing(
      { transform: { template: long, contentType: 'text/plain' } },
      await createRig({ bodies }),
    )
    await rig.publish({ data: DATA })
    await rig.drain()
    expect(await rig.deliveries()).toMatchObject([{ state: 2, error: 'http_status', attempts: 1 }])
    await retry(rig)
    const [first, second] = bodiesTo(rig, subscription)
    expect([first?.length, second === first]).toEqual([90_000, true])
  })
})

test('an outcome that comes twice does not replace what is kept', async () => {
  const { rig, subscription } = await failing(SHAPED)
  await rig.publish({ data: DATA })
  await rig.drain()
  const before = await keptRows()
  const [row] = await rig.deliveries()
  const pair = { subscriptionNo: subscription.no, seq: row!.seq }
  const late = {
    ...failure(pair, 1, rig.clock.nowMs + 1000),
    payload: 'kept' as const,
    kept: { contentType: 'text/plain', body: 'late', bodyKey: null },
  }
  await settle(env.DB, settlement('late', [late]), rig.clock.nowMs)
  expect(await keptRows()).toEqual(before)
  await retry(rig)
  expect(bodiesTo(rig, subscription)[1]).toBe(bodiesTo(rig, subscription)[0])
})

test('a shaped first failure writes one row more than a default one, and its retry none', async () => {
  const { db, meter } = meterD1(env.DB)
  const written = async (input: SubscriptionInput): Promise<number[]> => {
    await freshStore()
    const { rig } = await failing(input, await createRig({ db }))
    await rig.publish(...Array.from({ length: 100 }, () => ({ data: DATA })))
    const costs: number[] = []
    for (const step of [() => rig.drain(), () => retry(rig)]) {
      const before = meter.rowsWritten
      await step()
      costs.push((meter.rowsWritten - before) / 100)
    }
    return costs
  }
  const [first = 0, again = 0] = await written({})
  const [shapedFirst = 0, shapedAgain = 0] = await written(SHAPED)
  expect(first).toBeLessThanOrEqual(3.1)
  expect(shapedFirst - first).toBeCloseTo(1, 1)
  expect(shapedAgain).toBeCloseTo(again, 1)
})
