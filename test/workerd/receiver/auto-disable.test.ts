import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Subscription } from '../../../src/subscription/subscription.ts'
import type { DeliveryAnswer } from '../../support/process/http-client.ts'
import { answer, createRig, freshStore, type Rig, START_MS } from '../../support/rig/builders.ts'
import { deliverMany, once, rowsTo, SKIPPED, SUCCESS, stateOf } from '../../support/rig/receiver-state.ts'
import { replayAll, selection } from '../../support/rig/replays.ts'
import { clientOf } from '../../support/rig/rig-client.ts'

beforeEach(freshStore)

type Outcome = { webhookId: string; reason: string | null; delivery: DeliveryAnswer | null }
const outcomesOf = async (rig: Rig, eventId: string) =>
  (await clientOf(rig).get<Outcome[]>(`/events/${eventId}/deliveries`)).data
const acceptedId = (outcome: { kind: string } | undefined) =>
  outcome !== undefined && 'id' in outcome ? String(outcome.id) : ''

/** A subscription to which one event was answered 410. */
async function gone(count = 1) {
  const rig = await createRig()
  const subscription = await rig.subscribe()
  rig.receivers.set(subscription.settings.url, answer(410))
  await deliverMany(rig, count)
  return { rig, subscription }
}

describe('a 410', () => {
  test('disables the subscription, and the API says why', async () => {
    const { rig, subscription } = await gone()
    const { data } = await clientOf(rig).get(`/webhooks/${subscription.id}`)
    expect(data).toMatchObject({ active: false, disabledReason: 'gone' })
  })

  test('ends its delivery for good', async () => {
    const { rig, subscription } = await gone()
    expect(await rowsTo(rig, subscription)).toMatchObject([{ state: 2, due_at_ms: null, status: 410 }])
  })

  test('ends whatever else was owed as skipped: gone', async () => {
    const { rig, subscription } = await gone(100)
    const asked = rig.posts.length
    rig.clock.nowMs += 60_000
    await rig.sweep()
    await rig.drain()
    const rows = await rowsTo(rig, subscription)
    const skipped = rows.filter(({ state, error }) => state === SKIPPED && error === 'gone')
    expect([asked < 50, rig.posts.length, skipped.length]).toEqual([true, asked, 100 - asked])
  })

  test('later events are not attempted, and each says that the subscription was disabled', async () => {
    const { rig, subscription } = await gone()
    const [outcome] = await rig.publish({})
    await rig.drain()
    expect(outcome).toMatchObject({ kind: 'accepted', matched: 0 })
    expect(await outcomesOf(rig, acceptedId(outcome))).toMatchObject([
      { webhookId: subscription.id, reason: 'disabled', delivery: null },
    ])
    expect(rig.posts).toHaveLength(1)
  })

  test('an isolate that had matched before sees it at its next publish', async () => {
    const rig = await createRig()
    const other = await createRig({ world: rig.world, workspace: rig.workspace })
    const subscription = await rig.subscribe()
    await other.publish({})
    rig.receivers.set(subscription.settings.url, answer(410))
    await rig.drain()
    expect(await other.publish({})).toMatchObject([{ kind: 'accepted', matched: 0 }])
  })

  test('is over when somebody enables the subscription again', async () => {
    const { rig, subscription } = await gone()
    rig.receivers.set(subscription.settings.url, answer(200))
    const enabled = await clientOf(rig).post(`/webhooks/${subscription.id}/enable`)
    expect(enabled.data).toMatchObject({ active: true, disabledReason: null })
    await deliverMany(rig, 2)
    expect(rig.posts).toHaveLength(3)
  })

  test.each([
    ['success', 1],
    ['retry', 2],
    ['final', 2],
  ] as const)('that a response rule names as %s disables nobody', async (outcome, state) => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ responseRules: [{ status: 410, outcome }] })
    rig.receivers.set(subscription.settings.url, answer(410))
    await deliverMany(rig, 1)
    expect(await stateOf(subscription)).toMatchObject({ active: 1, disabled_reason: null })
    expect(await rowsTo(rig, subscription)).toMatchObject([{ state }])
  })

  test('to a test event disables nobody', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe()
    rig.receivers.set(subscription.settings.url, answer(410))
    await rig.publish({})
    await env.DB.prepare('UPDATE event SET is_test = 1').run()
    await rig.drain()
    expect([rig.posts.length, await stateOf(subscription)]).toMatchObject([1, { active: 1 }])
  })
})

const AFTER_SECONDS = 100

/** A subscription that is given up after 100 seconds of failing, or as its policy says. */
async function failing(disablePolicy: object = {}) {
  const rig = await createRig()
  const policy = { afterSeconds: AFTER_SECONDS, minAttempts: 4, ...disablePolicy }
  const subscription = await rig.subscribe(once({ disablePolicy: policy }))
  rig.receivers.set(subscription.settings.url, answer(404))
  return { rig, subscription, failAt: failAt(rig, subscription) }
}

const failAt = (rig: Rig, subscription: Subscription) => async (second: number) => {
  rig.clock.nowMs = START_MS + second * 1000
  await deliverMany(rig, 1)
  const { active, announced_percent } = await stateOf(subscription)
  return [second, active, announced_percent]
}

describe('a spent failure budget', () => {
  test('is told at half, 70 and 90 percent, and disables at 100, not a moment before', async () => {
    const { rig, subscription, failAt } = await failing()
    const seen = []
    for (const second of [0, 20, 49, 50, 69, 70, 90, 99]) seen.push(await failAt(second))
    expect(seen).toEqual([
      ...[
        [0, 1, 0],
        [20, 1, 0],
        [49, 1, 0],
        [50, 1, 50],
        [69, 1, 50],
        [70, 1, 70],
        [90, 1, 90],
        [99, 1, 90],
      ],
    ])
    await failAt(100)
    expect((await clientOf(rig).get(`/webhooks/${subscription.id}`)).data).toMatchObject({
      active: false,
      disabledReason: 'failing',
      failing: { failedAttempts: 9, percent: 100 },
    })
  })

  test('needs its attempts as well as its time', async () => {
    const { failAt } = await failing({ minAttempts: 5 })
    const seen = []
    for (const second of [0, 1000, 2000, 3000, 4000]) seen.push(await failAt(second))
    expect(seen.map(([, active]) => active)).toEqual([1, 1, 1, 1, 0])
  })

  test('of timeouts and refused connections counts too', async () => {
    const { rig, subscription, failAt } = await failing({ minAttempts: 2 })
    rig.receivers.set(subscription.settings.url, () => Promise.reject(new Error('connection refused')))
    await failAt(0)
    expect((await failAt(100))[1]).toBe(0)
  })

  test('is whole again after a success in between', async () => {
    const { rig, subscription, failAt } = await failing()
    for (const second of [0, 30, 60, 90]) await failAt(second)
    rig.receivers.set(subscription.settings.url, answer(200))
    await failAt(95)
    expect(await stateOf(subscription)).toMatchObject({
      ...{ failing_since_ms: null, failed_attempts: 0, announced_percent: 0, active: 1 },
    })
    rig.receivers.set(subscription.settings.url, answer(404))
    expect(await failAt(200)).toEqual([200, 1, 0])
  })

  test('never disables where the policy says no', async () => {
    const { failAt } = await failing({ enabled: false })
    for (const second of [0, 100, 200, 300]) await failAt(second)
    expect(await failAt(10_000)).toEqual([10_000, 1, 0])
  })

  test('ends what was owed as skipped: disabled, and a replay of the skipped delivers it', async () => {
    const { rig, subscription, failAt } = await failing()
    for (const second of [0, 40, 80]) await failAt(second)
    rig.clock.nowMs = START_MS + 100_000
    await deliverMany(rig, 60)
    rig.clock.nowMs += 60_000
    await rig.sweep()
    await rig.drain()
    const skipped = (await rowsTo(rig, subscription)).filter(({ state }) => state === SKIPPED)
    rig.receivers.set(subscription.settings.url, answer(200))
    await clientOf(rig).post(`/webhooks/${subscription.id}/enable`)
    await replayAll(rig, selection({ statuses: ['skipped'] }), subscription)
    await rig.drain()
    const delivered = (await rowsTo(rig, subscription)).filter(({ state }) => state === SUCCESS)
    expect(delivered.length).toBe(skipped.length)
  })

  test('what came in while it was disabled can be replayed as skipped', async () => {
    const { rig, subscription, failAt } = await failing()
    for (const second of [0, 40, 80, 100]) await failAt(second)
    await deliverMany(rig, 7)
    rig.receivers.set(subscription.settings.url, answer(200))
    await clientOf(rig).post(`/webhooks/${subscription.id}/enable`)
    const before = rig.posts.length
    await replayAll(rig, selection({ statuses: ['skipped'] }), subscription)
    await rig.drain()
    expect(rig.posts.length - before).toBe(7)
  })

  test('is new after somebody has enabled the subscription', async () => {
    const { rig, subscription, failAt } = await failing()
    for (const second of [0, 40, 80, 100]) await failAt(second)
    await clientOf(rig).post(`/webhooks/${subscription.id}/enable`)
    expect(await failAt(150)).toEqual([150, 1, 0])
    expect(await stateOf(subscription)).toMatchObject({ failed_attempts: 1 })
  })

  test('is shown by the API while it is being spent', async () => {
    const { rig, subscription, failAt } = await failing()
    for (const second of [0, 40, 60]) await failAt(second)
    expect((await clientOf(rig).get(`/webhooks/${subscription.id}`)).data['failing']).toEqual({
      since: new Date(START_MS).toISOString(),
      failedAttempts: 3,
      percent: 60,
    })
  })

  test('by a settlement that was committed twice is spent once', async () => {
    const { subscription, failAt, rig } = await failing()
    await failAt(0)
    const settle = rig.relay.work.settle
    rig.relay.work.settle = async (settlement) => {
      await settle(settlement)
      await settle(settlement)
    }
    await failAt(10)
    expect(await stateOf(subscription)).toMatchObject({ failed_attempts: 2 })
  })
})
