import { env } from 'cloudflare:workers'
import { beforeEach, expect, test } from 'vitest'
import { answer, createRig, freshStore, START_MS } from '../../support/rig/builders.ts'
import { type Around, type D1Call, watchD1 } from '../../support/rig/d1-watch.ts'
import { deliverMany, FIRST_HOLD_MS, once, stateOf } from '../../support/rig/receiver-state.ts'

beforeEach(freshStore)

const OPEN = { faults_in_row: 10, held_until_ms: START_MS + FIRST_HOLD_MS }
const CLOSED = { faults_in_row: 0, held_until_ms: 0 }
const writesCondition = ({ sql }: D1Call) => sql.some((text) => text.includes('faults_in_row = c.f'))

test('the tenth fault in a row opens it, and none before, though each comes from a claim of its own', async () => {
  const rig = await createRig()
  const subscription = await rig.subscribe(once())
  rig.receivers.set(subscription.settings.url, answer(500))
  const states = []
  for (let i = 0; i < 10; i++) {
    await deliverMany(rig, 1)
    const { faults_in_row, held_until_ms } = await stateOf(subscription)
    states.push([faults_in_row, held_until_ms])
  }
  expect(states).toEqual([...Array.from({ length: 9 }, (_, i) => [i + 1, 0]), [10, START_MS + FIRST_HOLD_MS]])
})

test('faults that two isolates see side by side add up', async () => {
  const one = await createRig()
  const two = await createRig({ world: one.world, workspace: one.workspace })
  const subscription = await one.subscribe(once())
  const both = Promise.withResolvers<void>()
  one.receivers.set(subscription.settings.url, async () => {
    if (one.posts.length === 10) both.resolve()
    await both.promise
    return new Response('no', { status: 500 })
  })
  await one.publish({}, {}, {}, {})
  const first = one.consume(one.fast)
  await one.publish({}, {}, {}, {}, {}, {})
  await Promise.all([first, two.consume(one.fast)])
  expect(await stateOf(subscription)).toMatchObject(OPEN)
})

test('a success between the faults starts the count anew', async () => {
  const rig = await createRig()
  const subscription = await rig.subscribe(once())
  const { url } = subscription.settings
  for (const [status, count] of [
    [500, 9],
    [200, 1],
    [500, 9],
  ] as const) {
    rig.receivers.set(url, answer(status))
    for (let i = 0; i < count; i++) await deliverMany(rig, 1)
  }
  expect(await stateOf(subscription)).toMatchObject({ faults_in_row: 9, held_until_ms: 0 })
})

test.each([400, 401, 404, 422, 429])('answers of %i do not open it', async (status) => {
  const rig = await createRig()
  const subscription = await rig.subscribe(once())
  rig.receivers.set(subscription.settings.url, answer(status))
  await deliverMany(rig, 30)
  expect(await stateOf(subscription)).toMatchObject(CLOSED)
})

test.each([500, 502, 504, 408, 425])('answers of %i open it', async (status) => {
  const rig = await createRig()
  const subscription = await rig.subscribe(once())
  rig.receivers.set(subscription.settings.url, answer(status))
  await deliverMany(rig, 10)
  expect(await stateOf(subscription)).toMatchObject(OPEN)
})

test('a settlement that D1 reports as failed although it was committed counts its faults once', async () => {
  let lost = 0
  const around: Around = async (call, run) => {
    const results = await run()
    if (writesCondition(call) && lost++ === 0) throw new Error('the answer was lost')
    return results
  }
  const rig = await createRig({ db: watchD1(env.DB, around) })
  const subscription = await rig.subscribe(once())
  rig.receivers.set(subscription.settings.url, answer(500))
  await deliverMany(rig, 3)
  expect([lost, (await stateOf(subscription)).faults_in_row]).toEqual([2, 3])
})

test('deliveries that succeed write nothing to their subscription', async () => {
  const calls: D1Call[] = []
  const db = watchD1(env.DB, (call, run) => {
    calls.push(call)
    return run()
  })
  const rig = await createRig({ db })
  const subscription = await rig.subscribe()
  await deliverMany(rig, 100)
  expect(calls.filter(({ sql }) => sql.some((text) => text.startsWith('UPDATE subscription')))).toEqual([])
  rig.receivers.set(subscription.settings.url, answer(500))
  await deliverMany(rig, 1)
  expect(calls.filter(writesCondition)).toHaveLength(1)
})
