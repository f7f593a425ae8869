import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { answer, createRig, freshStore, START_MS } from '../../support/rig/builders.ts'
import {
  deliverMany,
  FAILED,
  FIRST_HOLD_MS,
  idOf,
  openBreaker,
  PENDING,
  rowsTo,
  SUCCESS,
  stateOf,
} from '../../support/rig/receiver-state.ts'
import { clientOf, deliver } from '../../support/rig/rig-client.ts'

beforeEach(freshStore)

const OPEN = { faults_in_row: 10, held_until_ms: START_MS + FIRST_HOLD_MS }
const CLOSED = { faults_in_row: 0, held_until_ms: 0 }

describe('while it is open', () => {
  test('new events rest as rows, without an attempt', async () => {
    const rig = await createRig()
    const subscription = await openBreaker(rig)
    for (let i = 0; i < 5; i++) await deliverMany(rig, 20)
    const rows = await rowsTo(rig, subscription)
    expect(rows.filter(({ state }) => state === PENDING)).toHaveLength(100)
    expect(rig.postsTo(subscription)).toHaveLength(10)
  })

  test('hundreds of waiting deliveries have one message of the queue for retries between them', async () => {
    const rig = await createRig()
    await openBreaker(rig)
    for (let i = 0; i < 5; i++) await deliverMany(rig, 100)
    expect(rig.retries.bodies).toHaveLength(1)
    expect([rig.fast.bodies, rig.unproven.bodies]).toEqual([[], []])
  })

  test('sweeps meanwhile neither attempt nor pile up messages', async () => {
    const rig = await createRig()
    const subscription = await openBreaker(rig)
    await env.DB.prepare('UPDATE subscription SET held_until_ms = ?1')
      .bind(START_MS + 900_000)
      .run()
    await deliverMany(rig, 50)
    for (let minute = 0; minute < 12; minute++) {
      rig.clock.nowMs += 60_000
      await rig.sweep()
      await rig.drain()
    }
    expect([rig.postsTo(subscription).length, rig.retries.bodies.length <= 1]).toEqual([10, true])
  })

  test('a retry that comes due waits as well', async () => {
    const rig = await createRig()
    const subscription = await openBreaker(rig, { retryPolicy: { schedule: [10, 10] } })
    rig.clock.nowMs += 15_000
    await rig.sweep()
    await rig.drain()
    expect(rig.postsTo(subscription)).toHaveLength(10)
    rig.receivers.set(subscription.settings.url, answer(200))
    rig.clock.nowMs = START_MS + FIRST_HOLD_MS
    await rig.drain()
    expect((await rowsTo(rig, subscription)).map(({ state }) => state)).toEqual(new Array(10).fill(SUCCESS))
  })

  test('other subscriptions are served as ever', async () => {
    const rig = await createRig()
    const other = await rig.subscribe()
    await openBreaker(rig)
    await deliverMany(rig, 20)
    expect(rig.postsTo(other)).toHaveLength(30)
    expect((await rowsTo(rig, other)).every(({ state }) => state === SUCCESS)).toBe(true)
    expect(await stateOf(other)).toMatchObject(CLOSED)
  })

  test('the API shows it, and until when', async () => {
    const rig = await createRig()
    const { id } = await openBreaker(rig)
    const shown = async () => (await clientOf(rig).get(`/webhooks/${id}`)).data['breaker']
    expect(await shown()).toEqual({
      state: 'open',
      faultsInRow: 10,
      heldUntil: new Date(START_MS + FIRST_HOLD_MS).toISOString(),
    })
    rig.clock.nowMs += FIRST_HOLD_MS
    expect(await shown()).toMatchObject({ state: 'half_open', heldUntil: null })
  })
})

/** An open breaker with so many deliveries waiting behind it. */
async function waiting(count: number) {
  const rig = await createRig()
  const subscription = await openBreaker(rig)
  await deliverMany(rig, count)
  const reached = () => rig.postsTo(subscription).length - 10
  return { rig, subscription, reached }
}

describe('after the hold', () => {
  test('one delivery is attempted and no other, however many rest', async () => {
    const { rig, reached } = await waiting(250)
    rig.clock.nowMs += FIRST_HOLD_MS
    await rig.drain()
    await rig.sweep()
    await rig.drain()
    expect(reached()).toBe(1)
  })

  test('a millisecond earlier there is none', async () => {
    const { rig, reached } = await waiting(5)
    rig.clock.nowMs += FIRST_HOLD_MS - 1
    rig.retries.double()
    await rig.sweep()
    await rig.drain()
    expect(reached()).toBe(0)
  })

  test('new events that come in then do not add probes of their own', async () => {
    const { rig, reached } = await waiting(5)
    rig.clock.nowMs += FIRST_HOLD_MS
    await rig.publish({}, {}, {})
    await rig.drain()
    expect(reached()).toBe(1)
  })

  test('a probe that fails doubles the hold, again and again, up to a quarter of an hour', async () => {
    const { rig, subscription, reached } = await waiting(10)
    const holds = []
    for (let i = 0; i < 7; i++) {
      rig.clock.nowMs = (await stateOf(subscription)).held_until_ms
      await rig.sweep()
      await rig.drain()
      holds.push(((await stateOf(subscription)).held_until_ms - rig.clock.nowMs) / 800)
    }
    expect([holds, reached()]).toEqual([[60, 120, 240, 480, 900, 900, 900], 7])
  })

  test.each(['its own wake-up', 'the next sweep'])(
    'a probe that succeeds closes it, and all that rested is delivered once: by %s',
    async (by) => {
      const { rig, subscription } = await waiting(250)
      rig.receivers.set(subscription.settings.url, answer(200))
      if (by === 'the next sweep') rig.retries.lose()
      rig.clock.nowMs += by === 'the next sweep' ? 60_000 : FIRST_HOLD_MS
      if (by === 'the next sweep') await rig.sweep()
      await rig.drain()
      const delivered = rig
        .postsTo(subscription)
        .slice(10)
        .map(({ headers }) => headers.get('webhook-id'))
      expect(new Set(delivered).size).toBe(250)
      expect(delivered).toHaveLength(250)
      expect(await stateOf(subscription)).toMatchObject(CLOSED)
    },
  )

  test('nothing is lost over an outage of several holds', async () => {
    const { rig, subscription } = await waiting(30)
    for (let i = 0; i < 3; i++) {
      rig.clock.nowMs = (await stateOf(subscription)).held_until_ms
      await rig.sweep()
      await deliverMany(rig, 10)
    }
    rig.receivers.set(subscription.settings.url, answer(200))
    rig.clock.nowMs = (await stateOf(subscription)).held_until_ms
    await rig.sweep()
    await rig.drain()
    const states = (await rowsTo(rig, subscription)).map(({ state }) => state)
    // Those that had no retries left failed: the ten that opened it, and the three probes.
    expect([
      states.filter((state) => state === FAILED).length,
      states.filter((state) => state === SUCCESS).length,
    ]).toEqual([13, 57])
  })

  test('two isolates that are woken side by side make one probe between them', async () => {
    const { rig, reached } = await waiting(250)
    const other = await createRig({ world: rig.world, workspace: rig.workspace })
    rig.clock.nowMs += FIRST_HOLD_MS
    const [hint] = rig.retries.bodies
    const first = rig.consume(rig.retries)
    rig.retries.put(hint)
    await Promise.all([first, other.consume(rig.retries)])
    expect(reached()).toBe(1)
  })

  test('an isolate that starts only then finds the breaker as it was', async () => {
    const { rig, reached } = await waiting(5)
    const other = await createRig({ world: rig.world, workspace: rig.workspace })
    await other.publish({}, {})
    await other.drain()
    expect(reached()).toBe(0)
  })
})

describe('a retry that a person asks for', () => {
  test('passes an open breaker; its success closes it, and what rested is delivered', async () => {
    const { rig, subscription } = await waiting(20)
    rig.receivers.set(subscription.settings.url, answer(200))
    const [first] = await rowsTo(rig, subscription)
    expect((await clientOf(rig).post(`/deliveries/${idOf(first!)}/retry`)).status).toBe(202)
    await deliver(rig)
    expect(rig.clock.nowMs).toBe(START_MS)
    expect(await stateOf(subscription)).toMatchObject(CLOSED)
    const states = (await rowsTo(rig, subscription)).map(({ state }) => state)
    expect(states.filter((state) => state === SUCCESS)).toHaveLength(21)
  })

  test('that fails leaves the breaker and all others as they were', async () => {
    const { rig, subscription, reached } = await waiting(20)
    const [first] = await rowsTo(rig, subscription)
    await clientOf(rig).post(`/deliveries/${idOf(first!)}/retry`)
    await deliver(rig)
    expect(reached()).toBe(1)
    expect(await stateOf(subscription)).toMatchObject(OPEN)
  })

  test('can be of one that waits', async () => {
    const { rig, subscription, reached } = await waiting(3)
    const resting3 = (await rowsTo(rig, subscription)).at(-1)
    expect((await clientOf(rig).post(`/deliveries/${idOf(resting3!)}/retry`)).status).toBe(202)
    await deliver(rig)
    expect(reached()).toBe(1)
  })
})
