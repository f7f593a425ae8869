import { beforeEach, expect, test } from 'vitest'
import {
  answer,
  createRig,
  freshStore,
  START_MS,
  type SubscriptionInput,
} from '../../support/rig/builders.ts'
import { deliverMany, once, rowsTo, SUCCESS, stateOf } from '../../support/rig/receiver-state.ts'
import { clientOf } from '../../support/rig/rig-client.ts'

beforeEach(freshStore)

const DAY_SECONDS = 86_400
const httpDate = (seconds: number) => new Date(START_MS + seconds * 1000).toUTCString()

/** A subscription whose receiver has just answered its only event with a `Retry-After`. */
async function throttled(status: number, retryAfter: string, input: SubscriptionInput = {}) {
  const rig = await createRig()
  const subscription = await rig.subscribe(input)
  const { url } = subscription.settings
  rig.receivers.set(url, answer(status, { 'Retry-After': retryAfter }))
  await deliverMany(rig, 1)
  rig.receivers.set(url, answer(200))
  const reached = () => rig.postsTo(subscription).length - 1
  const at = async (seconds: number) => {
    rig.clock.nowMs = START_MS + seconds * 1000
    await rig.sweep()
    await rig.drain()
  }
  return { rig, subscription, reached, at }
}

test.each([
  ['seconds', 429, '120', 120],
  ['a date', 429, httpDate(120), 120],
  ['seconds', 503, '120', 120],
  ['a date', 503, httpDate(300), 300],
  ['a whole day', 429, String(DAY_SECONDS), DAY_SECONDS],
  ['more than a day, which counts as one', 429, String(3 * DAY_SECONDS), DAY_SECONDS],
])(
  'Retry-After as %s with %i holds the whole subscription, and then all goes on',
  async (_, status, text, seconds) => {
    const { rig, subscription, reached, at } = await throttled(status, text)
    await deliverMany(rig, 20)
    await at(seconds / 2)
    await deliverMany(rig, 5)
    await at(seconds - 0.001)
    expect(reached()).toBe(0)
    await at(seconds)
    expect(reached()).toBe(26)
    expect((await rowsTo(rig, subscription)).every(({ state }) => state === SUCCESS)).toBe(true)
  },
)

const atMost = (maxRetryAfterSeconds: number): SubscriptionInput => ({
  retryPolicy: { schedule: [10, 20, 30], maxRetryAfterSeconds },
})
const ruled = (respectRetryAfter?: boolean): SubscriptionInput => ({
  responseRules: [
    { status: [429, 500], outcome: 'retry', ...(respectRetryAfter !== undefined && { respectRetryAfter }) },
  ],
})

// 100000 are milliseconds, as some servers send them: read as seconds they are more than a day.
test.each([
  ['at most a minute', 429, atMost(60), 60, 60],
  ['at most less than the policy’s own delay', 429, atMost(2), 2, 10],
  ['not at all', 429, atMost(0), 0, 10],
  ['a rule that says so: not at all', 429, ruled(false), 0, 10],
  ['a rule that says nothing of it: as ever', 429, ruled(), DAY_SECONDS, DAY_SECONDS],
  ['a rule that lets it count for a 500', 500, ruled(true), DAY_SECONDS, DAY_SECONDS],
  ['a rule that says nothing of it, for a 500', 500, ruled(), 0, 10],
])(
  'Retry-After: 100000 counts as the subscription says: %s',
  async (_, status, input, heldSeconds, dueSeconds) => {
    const { rig, subscription } = await throttled(status, '100000', input)
    const [row] = await rowsTo(rig, subscription)
    expect(row?.due_at_ms).toBe(START_MS + dueSeconds * 1000)
    const { throttled_until_ms } = await stateOf(subscription)
    expect(throttled_until_ms).toBe(heldSeconds === 0 ? 0 : START_MS + heldSeconds * 1000)
  },
)

test('without Retry-After a 429 holds nobody but itself', async () => {
  const rig = await createRig()
  const subscription = await rig.subscribe()
  rig.receivers.set(subscription.settings.url, answer(429))
  await deliverMany(rig, 1)
  rig.receivers.set(subscription.settings.url, answer(200))
  await deliverMany(rig, 4)
  expect(rig.postsTo(subscription)).toHaveLength(5)
})

test('Retry-After of another status holds nobody', async () => {
  const { reached, rig } = await throttled(500, '3600')
  await deliverMany(rig, 4)
  expect(reached()).toBe(4)
})

test('the rest of the same claim waits, and is delivered when the time has come', async () => {
  const rig = await createRig()
  const subscription = await rig.subscribe(once())
  const { url } = subscription.settings
  rig.receivers.set(url, answer(429, { 'Retry-After': '60' }))
  await deliverMany(rig, 100)
  const asked = rig.posts.length
  expect(asked).toBeLessThan(50)
  rig.receivers.set(url, answer(200))
  rig.clock.nowMs += 60_000
  await rig.sweep()
  await rig.drain()
  const states = (await rowsTo(rig, subscription)).map(({ state }) => state)
  expect(states.filter((state) => state === SUCCESS)).toHaveLength(100 - asked)
  expect(rig.posts).toHaveLength(100)
})

test('other subscriptions go on', async () => {
  const { rig, reached } = await throttled(429, '3600')
  const other = await rig.subscribe()
  await deliverMany(rig, 10)
  expect([reached(), rig.postsTo(other).length]).toEqual([0, 10])
})

test('an isolate that starts meanwhile holds it too', async () => {
  const { rig, reached } = await throttled(429, '3600')
  const other = await createRig({ world: rig.world, workspace: rig.workspace })
  await other.publish({}, {})
  await other.drain()
  expect(reached()).toBe(0)
})

test('an earlier wish does not shorten a later one', async () => {
  const { rig, subscription } = await throttled(429, '3600')
  const late = await stateOf(subscription)
  rig.receivers.set(subscription.settings.url, answer(429, { 'Retry-After': '5' }))
  const [row] = await rowsTo(rig, subscription)
  await rig.relay.hints.delivery({ subscriptionNo: subscription.no, seq: row!.seq })
  await rig.drain()
  expect([rig.posts.length, await stateOf(subscription)]).toEqual([2, { ...late, failed_attempts: 2 }])
})

test('the API says that it is throttled, until when, and that it is closed again', async () => {
  const { rig, subscription, at } = await throttled(429, '120')
  const shown = async () => (await clientOf(rig).get(`/webhooks/${subscription.id}`)).data['breaker']
  expect(await shown()).toEqual({
    state: 'throttled',
    faultsInRow: 0,
    heldUntil: new Date(START_MS + 120_000).toISOString(),
  })
  await at(120)
  expect(await shown()).toEqual({ state: 'closed', faultsInRow: 0, heldUntil: null })
})

test('resume delivers what Retry-After had put off for a day too, and leaves scheduled events their time', async () => {
  const { rig, subscription, reached } = await throttled(429, String(DAY_SECONDS))
  const deliverAtMs = START_MS + 3_600_000
  await rig.publish({ deliverAtMs })
  await deliverMany(rig, 3)
  await clientOf(rig).post(`/webhooks/${subscription.id}/resume`)
  rig.clock.nowMs += 1_000
  await rig.sweep()
  await rig.drain()
  expect(reached()).toBe(4)
  const rows = await rowsTo(rig, subscription)
  expect(rows.filter(({ state }) => state === SUCCESS)).toHaveLength(4)
  expect(rows.find(({ state }) => state !== SUCCESS)?.due_at_ms).toBe(deliverAtMs)
})
