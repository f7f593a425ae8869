import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Subscription } from '../../../src/subscription/subscription.ts'
import { expectInvalid } from '../../support/process/http-client.ts'
import {
  answer,
  createRig,
  freshStore,
  type Rig,
  type RigOptions,
  START_MS,
} from '../../support/rig/builders.ts'
import { deliverMany, once, rowsTo, stateOf } from '../../support/rig/receiver-state.ts'
import { clientOf } from '../../support/rig/rig-client.ts'

beforeEach(freshStore)

type News = { event: string; data: { object: Record<string, unknown> } }
const newsOf = (rig: Rig, watcher: Subscription): News[] =>
  rig.postsTo(watcher).map(({ body }) => JSON.parse(body) as News)
const typesOf = (rig: Rig, watcher: Subscription) => newsOf(rig, watcher).map(({ event }) => event)
const FAILING = 'posthorn.subscription.failing'
const DISABLED = 'posthorn.subscription.disabled'
const RECOVERED = 'posthorn.subscription.recovered'
const EXHAUSTED = 'posthorn.delivery.exhausted'

/** A subscription that fails and is given up after 100 seconds, and one that is told about subscriptions. */
async function watched(options: RigOptions = {}) {
  const rig = await createRig(options)
  const watcher = await rig.subscribe({ events: ['posthorn.subscription.*'], description: 'watcher' })
  const disablePolicy = { afterSeconds: 100, minAttempts: 1 }
  const subscription = await rig.subscribe(once({ disablePolicy, description: 'ledger' }))
  rig.receivers.set(subscription.settings.url, answer(404))
  const at = async (second: number) => {
    rig.clock.nowMs = START_MS + second * 1000
    await deliverMany(rig, 1)
  }
  return { rig, watcher, subscription, at }
}

describe('what is told', () => {
  test('each level of the failure budget once, then that the subscription was disabled', async () => {
    const { rig, watcher, at } = await watched()
    for (const second of [0, 50, 55, 70, 75, 90, 95, 100, 105]) await at(second)
    expect(newsOf(rig, watcher).map(({ event, data }) => [event, data.object['percent']])).toEqual([
      [FAILING, 50],
      [FAILING, 70],
      [FAILING, 90],
      [DISABLED, undefined],
    ])
  })

  test('which subscription fails, since when, and when it will be disabled', async () => {
    const { rig, watcher, subscription, at } = await watched()
    for (const second of [0, 50]) await at(second)
    expect(newsOf(rig, watcher)).toMatchObject([
      {
        event: FAILING,
        data: {
          object: {
            webhookId: subscription.id,
            url: subscription.settings.url,
            description: 'ledger',
            percent: 50,
            failingSince: new Date(START_MS).toISOString(),
            failedAttempts: 2,
            disabledAt: new Date(START_MS + 100_000).toISOString(),
          },
        },
      },
    ])
  })

  test('that a receiver whose failing was told answers again', async () => {
    const { rig, watcher, subscription, at } = await watched()
    for (const second of [0, 50]) await at(second)
    rig.receivers.set(subscription.settings.url, answer(200))
    for (const second of [60, 61]) await at(second)
    expect(typesOf(rig, watcher)).toEqual([FAILING, RECOVERED])
  })

  test('nothing of a receiver that answers again before anything was told', async () => {
    const { rig, watcher, subscription, at } = await watched()
    for (const second of [0, 49]) await at(second)
    rig.receivers.set(subscription.settings.url, answer(200))
    await at(60)
    expect(typesOf(rig, watcher)).toEqual([])
  })

  test('that a 410 disabled a subscription', async () => {
    const { rig, watcher, subscription, at } = await watched()
    rig.receivers.set(subscription.settings.url, answer(410))
    await at(0)
    expect(newsOf(rig, watcher)).toMatchObject([
      { event: DISABLED, data: { object: { webhookId: subscription.id, reason: 'gone' } } },
    ])
  })

  test('a delivery that has failed for good, and of what', async () => {
    const { rig, at, subscription } = await watched()
    const watcher = await rig.subscribe({ events: [EXHAUSTED] })
    await at(0)
    expect(newsOf(rig, watcher)).toMatchObject([
      {
        event: EXHAUSTED,
        data: {
          object: {
            webhookId: subscription.id,
            deliveryId: expect.stringMatching(/^log_/),
            eventId: expect.stringMatching(/^evt_/),
            event: 'invoice.paid',
            attempts: 1,
            error: 'http_status',
            responseCode: 404,
          },
        },
      },
    ])
  })

  test('nothing of a delivery that has a retry left', async () => {
    const rig = await createRig()
    const watcher = await rig.subscribe({ events: [EXHAUSTED] })
    const subscription = await rig.subscribe({ retryPolicy: { schedule: [10] } })
    rig.receivers.set(subscription.settings.url, answer(500))
    await deliverMany(rig, 1)
    expect(newsOf(rig, watcher)).toEqual([])
    rig.clock.nowMs += 10_000
    await rig.drain()
    expect(newsOf(rig, watcher)).toMatchObject([{ data: { object: { attempts: 2 } } }])
  })
})

describe('who is told', () => {
  test('not who only asked for everything, nor whom it is about, nor other workspaces', async () => {
    const rig = await createRig()
    const stranger = await createRig({ world: rig.world })
    const everything = await rig.subscribe({ events: ['*'] })
    const elsewhere = await stranger.subscribe({ events: ['posthorn.*'] })
    const about = await rig.subscribe(once({ events: ['*', 'posthorn.*'] }))
    const named = await rig.subscribe({ events: ['posthorn.subscription.*'] })
    rig.receivers.set(about.settings.url, answer(410))
    await deliverMany(rig, 1)
    expect([everything, about, elsewhere, named].map((one) => rig.postsTo(one).length)).toEqual([1, 1, 0, 1])
    expect(typesOf(rig, named)).toEqual([DISABLED])
  })

  test('where nobody asked, nothing is stored', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe(once({ events: ['*', 'posthorn.*'] }))
    await rig.subscribe()
    rig.receivers.set(subscription.settings.url, answer(410))
    await deliverMany(rig, 3)
    const events = await env.DB.prepare('SELECT type FROM event').all()
    expect(events.results).toEqual(new Array(3).fill({ type: 'invoice.paid' }))
    expect(await stateOf(subscription)).toMatchObject({ active: 0 })
  })

  test('news of which nobody could be told does not end in news of that', async () => {
    const rig = await createRig()
    const watcher = await rig.subscribe(once({ events: ['posthorn.*'] }))
    const other = await rig.subscribe(once({ events: ['posthorn.*'] }))
    const subscription = await rig.subscribe(once())
    for (const one of [watcher, other, subscription]) rig.receivers.set(one.settings.url, answer(404))
    await deliverMany(rig, 1)
    expect([watcher, other].map((one) => rig.postsTo(one).length)).toEqual([1, 1])
  })

  test.each(['posthorn.x', 'posthorn.subscription.failing'])('400: a client publishes %s', async (event) => {
    const rig = await createRig()
    const client = clientOf(rig)
    expectInvalid(await client.post('/events', { event, data: {} }), 'event', /relay's own events/)
    expectInvalid(await client.post('/events', { type: event, data: {} }), 'type', /relay's own events/)
    expect((await env.DB.prepare('SELECT pk FROM event').all()).results).toEqual([])
  })
})

describe('told once', () => {
  /** Spends the budget up to a second; then its consumer dies before it could write, and another one does it again. */
  async function redone(seconds: readonly number[]) {
    const { rig, watcher, subscription, at } = await watched()
    const exhausted = await rig.subscribe({ events: [EXHAUSTED] })
    for (const second of seconds.slice(0, -1)) await at(second)
    const { settle } = rig.relay.work
    rig.relay.work.settle = async (settlement) => {
      if (settlement.receiverChanges.length > 0) throw new Error('died')
      await settle(settlement)
    }
    await at(seconds.at(-1) ?? 0)
    rig.relay.work.settle = settle
    for (let minute = 0; minute < 3; minute++) {
      rig.clock.nowMs += 60_000
      await rig.sweep()
      await rig.drain()
    }
    return { rig, watcher, subscription, exhausted }
  }

  test.each([
    ['a level of the budget', [0, 50], [FAILING]],
    ['the end of the budget', [0, 50, 100], [FAILING, DISABLED]],
  ])(
    '%s, though its consumer died after telling and another one told it again',
    async (_, seconds, types) => {
      const { rig, watcher } = await redone(seconds)
      // Done again, the first of them is later than it was, and so the budget is more spent.
      expect(typesOf(rig, watcher).filter((type) => type === types.at(-1))).toHaveLength(1)
    },
  )

  test('an exhausted delivery, though its consumer died after telling', async () => {
    const { rig, exhausted } = await redone([0])
    expect(typesOf(rig, exhausted)).toEqual([EXHAUSTED])
  })

  test('a 410, though two isolates saw it side by side', async () => {
    const { rig, watcher, subscription } = await watched()
    const other = await createRig({ world: rig.world, workspace: rig.workspace })
    const both = Promise.withResolvers<void>()
    rig.receivers.set(subscription.settings.url, async () => {
      if (rig.postsTo(subscription).length === 2) both.resolve()
      await both.promise
      rig.clock.nowMs += 7
      return new Response(null, { status: 410 })
    })
    await rig.publish({})
    const first = rig.consume(rig.fast)
    await rig.publish({})
    await Promise.all([first, other.consume(rig.fast)])
    await rig.drain()
    expect(typesOf(rig, watcher)).toEqual([DISABLED])
  })

  test('a settlement that is committed twice', async () => {
    const { rig, watcher, at } = await watched()
    const { settle } = rig.relay.work
    rig.relay.work.settle = async (settlement) => {
      await settle(settlement)
      await settle(settlement)
    }
    for (const second of [0, 50, 70, 90, 100]) await at(second)
    expect(typesOf(rig, watcher)).toEqual([FAILING, FAILING, FAILING, DISABLED])
  })

  test('when the same thing happens again later it is told again', async () => {
    const { rig, watcher, subscription } = await watched()
    for (let i = 0; i < 2; i++) {
      rig.receivers.set(subscription.settings.url, answer(410))
      await deliverMany(rig, 1)
      await clientOf(rig).post(`/webhooks/${subscription.id}/enable`)
    }
    expect(typesOf(rig, watcher)).toEqual([DISABLED, DISABLED])
  })
})

test('a relay that cannot tell still delivers and records', async () => {
  const { rig, subscription, at } = await watched()
  rig.relay.work.announce = () => Promise.resolve()
  await at(0)
  expect(await rowsTo(rig, subscription)).toMatchObject([{ state: 2, attempts: 1 }])
})
