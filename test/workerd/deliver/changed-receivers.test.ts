import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { answer, createRig, freshStore, hang, type Receiver, START_MS } from '../../support/rig/builders.ts'

beforeEach(freshStore)

/** One event to one receiver, attempted once. */
async function attempted(receiver: Receiver) {
  const rig = await createRig()
  const subscription = await rig.subscribe({ timeoutSeconds: 0.05 })
  rig.receivers.set(subscription.settings.url, receiver)
  await rig.publish({})
  await rig.drain()
  const [row] = await rig.deliveries()
  return { rig, subscription, row }
}

const RETRIED = { state: 2, due_at_ms: START_MS + 10_000 }
const FINAL = { state: 2, due_at_ms: null }

test.each([
  ['500', answer(500), { ...RETRIED, status: 500, error: 'http_status' }],
  ['404', answer(404), { ...RETRIED, status: 404 }],
  ['410', answer(410), { ...FINAL, status: 410 }],
  ['429', answer(429), { ...RETRIED, status: 429 }],
  ['429 and Retry-After: 120', answer(429, { 'Retry-After': '120' }), { due_at_ms: START_MS + 120_000 }],
  ['503 and Retry-After: 120', answer(503, { 'Retry-After': '120' }), { due_at_ms: START_MS + 120_000 }],
  ['503 and a Retry-After shorter than the policy', answer(503, { 'Retry-After': '1' }), RETRIED],
  ['500 and Retry-After: 120', answer(500, { 'Retry-After': '120' }), RETRIED],
  ['a 3xx', answer(307, { Location: 'https://elsewhere.example.com/' }), { ...RETRIED, status: 307 }],
  ['a 204', answer(204), { state: 1, due_at_ms: null, status: 204 }],
  ['nothing in time', hang, { ...RETRIED, status: null, error: 'timeout_headers' }],
  ['a lost connection', lost, { ...RETRIED, status: null, error: 'connection' }],
])('an answer of %s is recorded as what it is', async (_, receiver, row) => {
  expect((await attempted(receiver)).row).toMatchObject(row)
})

function lost(): never {
  throw new Error('Network connection lost.')
}

test('a redirect is not followed', async () => {
  const { rig } = await attempted(answer(302, { Location: 'https://elsewhere.example.com/' }))
  expect(rig.posts.map(({ redirect }) => redirect)).toEqual(['manual'])
})

test('a receiver that never answers leaves the others of its claim alone', async () => {
  const rig = await createRig()
  const hanging = await rig.subscribe({ timeoutSeconds: 0.05 })
  const well = await rig.subscribe()
  rig.receivers.set(hanging.settings.url, hang)
  await rig.publish(...Array.from({ length: 40 }, () => ({})))
  await rig.drain()
  expect(rig.postsTo(well)).toHaveLength(40)
})

test('a receiver that ran into its timeout gets no further attempt from that consumer', async () => {
  const rig = await createRig()
  const hanging = await rig.subscribe({ timeoutSeconds: 0.05 })
  rig.receivers.set(hanging.settings.url, hang)
  await rig.publish(...Array.from({ length: 40 }, () => ({})))
  await rig.consume(rig.fast)
  expect(rig.postsTo(hanging).length).toBeLessThanOrEqual(6)
})

test('deliveries that were cut short have rows that are due later', async () => {
  const rig = await createRig()
  const hanging = await rig.subscribe({ timeoutSeconds: 0.05 })
  rig.receivers.set(hanging.settings.url, hang)
  await rig.publish(...Array.from({ length: 40 }, () => ({})))
  await rig.consume(rig.fast)
  const waiting = (await rig.deliveries()).filter(({ attempts }) => attempts === 0)
  expect(new Set(waiting.map(({ state, due_at_ms }) => `${state} ${due_at_ms}`))).toEqual(
    new Set([`0 ${START_MS + 30_000}`]),
  )
})

test('deliveries that were cut short are made when their receiver is well again', async () => {
  const rig = await createRig()
  const hanging = await rig.subscribe({ timeoutSeconds: 0.05 })
  rig.receivers.set(hanging.settings.url, hang)
  await rig.publish(...Array.from({ length: 40 }, () => ({})))
  await rig.consume(rig.fast)
  rig.receivers.clear()
  rig.clock.nowMs += 30_000
  await rig.drain()
  expect((await rig.deliveries()).map(({ state }) => state)).toEqual(new Array(40).fill(1))
})

test('a delivery that always fails is tried as often as its policy says and then no more', async () => {
  const { rig, subscription } = await attempted(answer(500))
  for (let i = 0; i < 5; i++) {
    rig.clock.nowMs += 60_000
    await rig.drain()
  }
  expect([rig.postsTo(subscription).length, await rig.deliveries()]).toMatchObject([
    4,
    [{ state: 2, attempts: 4, due_at_ms: null }],
  ])
})

test('a retry is woken when it is due and not before', async () => {
  const { rig, subscription } = await attempted(answer(500))
  const counts = []
  for (const stepMs of [9_999, 1]) {
    rig.clock.nowMs += stepMs
    await rig.drain()
    counts.push(rig.postsTo(subscription).length)
  }
  expect(counts).toEqual([1, 2])
})

describe('a retry after the subscription was changed', () => {
  async function changed() {
    const { rig, subscription } = await attempted(answer(500))
    const url = 'https://moved.example.com/hooks'
    const headersCipher = await rig.relay.vault.seal('{"X-Team":"billing"}', subscription, 'headers')
    const config = JSON.stringify({ ...subscription.settings, url, headersCipher })
    const secret = await rig.relay.vault.seal('another-secret-of-mine', subscription, 'secret')
    await env.DB.prepare(
      'UPDATE subscription SET config = ?2, secret_cipher = ?3, version = version + 1 WHERE no = ?1',
    )
      .bind(subscription.no, config, secret)
      .run()
    rig.clock.nowMs += 10_000
    await rig.drain()
    const [first, second] = rig.posts
    return { first: first!, second: second!, url }
  }

  test('sends the same bytes', async () => {
    const { first, second } = await changed()
    expect(second.body).toBe(first.body)
  })

  test('keeps the id of the event', async () => {
    const { first, second } = await changed()
    expect(second.headers.get('webhook-id')).toBe(first.headers.get('webhook-id'))
  })

  test('goes to the current URL', async () => {
    const { second, url } = await changed()
    expect(second.url).toBe(url)
  })

  test('carries the current headers', async () => {
    const { second } = await changed()
    expect(second.headers.get('X-Team')).toBe('billing')
  })

  test('is signed with the current secret', async () => {
    const { second } = await changed()
    const key = new TextEncoder().encode('another-secret-of-mine')
    const algorithm = { name: 'HMAC', hash: 'SHA-256' }
    const imported = await crypto.subtle.importKey('raw', key, algorithm, false, ['verify'])
    const hex = second.headers.get('X-Signature')?.slice('sha256='.length) ?? ''
    const signature = Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
    const body = new TextEncoder().encode(second.body)
    expect(await crypto.subtle.verify('HMAC', imported, signature, body)).toBe(true)
  })

  test('has the timestamp of its own attempt', async () => {
    const { second } = await changed()
    expect(second.headers.get('webhook-timestamp')).toBe(String((START_MS + 10_000) / 1000))
  })
})
