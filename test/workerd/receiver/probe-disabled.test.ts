import { env } from 'cloudflare:workers'
import { beforeEach, expect, test } from 'vitest'
import { findSubscription } from '../../../src/subscription/subscriptions.sql.ts'
import { answer, createRig, freshStore } from '../../support/rig/builders.ts'

beforeEach(freshStore)

const POLICY = { afterSeconds: 60, minAttempts: 2, probeSeconds: 600 }

/** A subscription that was disabled for failing. */
async function givenUp(reenableByProbe: boolean) {
  const rig = await createRig()
  const disablePolicy = { ...POLICY, reenableByProbe }
  const subscription = await rig.subscribe({ disablePolicy, retryPolicy: { schedule: [60, 60, 60] } })
  rig.receivers.set(subscription.settings.url, answer(500))
  await rig.publish({})
  for (let i = 0; i < 3; i++) {
    await rig.drain()
    rig.clock.nowMs += 61_000
    await rig.sweep()
  }
  const state = async () => await findSubscription(env.DB, rig.workspace, subscription.id)
  expect(await state()).toMatchObject({ active: false, disabledReason: 'failing' })
  const probes = () =>
    rig.postsTo(subscription).filter(({ body }) => body.includes('"event":"posthorn.probe"')).length
  return { rig, subscription, state, probes }
}

test('a receiver that was given up and is back is found by a probe and enabled', async () => {
  const { rig, subscription, state, probes } = await givenUp(true)
  rig.receivers.delete(subscription.settings.url)
  rig.clock.nowMs += 600_000
  await rig.sweep()
  await rig.drain()
  expect(probes()).toBe(1)
  expect(await state()).toMatchObject({ active: true, disabledReason: null })
  expect(await rig.publish({})).toMatchObject([{ matched: 1 }])
})

test('a receiver that is still down is tried once in a while, and stays disabled', async () => {
  const { rig, state, probes } = await givenUp(true)
  for (let minutes = 0; minutes < 30; minutes++) {
    rig.clock.nowMs += 60_000
    await rig.sweep()
    await rig.drain()
  }
  expect(probes()).toBe(3)
  expect(await state()).toMatchObject({ active: false, disabledReason: 'failing' })
})

test('a receiver whose owner did not ask for it is not probed', async () => {
  const { rig, probes } = await givenUp(false)
  rig.clock.nowMs += 7 * 86_400_000
  await rig.sweep()
  await rig.drain()
  expect(probes()).toBe(0)
})
