import { beforeEach, describe, expect, test } from 'vitest'
import { atFullCount } from '../../../../support/full-count.ts'
import {
  ask,
  askAndServe,
  batching,
  batchRows,
  event,
  events,
  expectBatches,
  ids,
  idsIn,
  ringAfter,
} from '../../../../support/rig/batching.ts'
import { answer, createRig, createWorld, freshStore, type Rig } from '../../../../support/rig/builders.ts'
import { PENDING, rowsTo, SUCCESS } from '../../../../support/rig/receiver-state.ts'
import { clientOf } from '../../../../support/rig/rig-client.ts'

beforeEach(freshStore)

const MINUTE = 60_000
const WAIT_MS = 300_000

/** Two isolates of one relay, with one workspace. */
async function twoIsolates(): Promise<[Rig, Rig]> {
  const options = { world: createWorld(), workspace: `ws-${crypto.randomUUID()}` }
  return [await createRig(options), await createRig(options)]
}

/** What is sent more than once, or never, of so many events. */
function notOnce(rig: Rig, expected: readonly string[]): string[] {
  const sent = rig.posts.flatMap(idsIn)
  return [
    ...expected.filter((id) => !sent.includes(id)),
    ...sent.filter((id, n) => sent.indexOf(id) !== n || !expected.includes(id)),
  ]
}

describe('each event is in exactly one batch', () => {
  test('when two consumers add and serve at once', async () => {
    const [one, other] = await twoIsolates()
    const subscription = await one.subscribe({ batchSettings: batching({ maxEvents: 10 }) })
    for (let round = 0; round < 10; round++) {
      const both = [one.publish(...events(13, round * 20)), other.publish(...events(7, round * 20 + 13))]
      await Promise.all([...both, one.consume(one.paced), other.consume(one.paced)])
      await Promise.all([one.consume(one.paced), other.consume(one.paced)])
    }
    await Promise.all([one.drain(), other.drain()])
    await ringAfter(one, subscription, WAIT_MS)
    expect(notOnce(one, ids(200))).toEqual([])
    const sizes = one.posts.map((post) => idsIn(post).length)
    expect(Math.max(...sizes)).toBe(10)
  })

  test('when the same hint reaches two consumers at once', async () => {
    const [one, other] = await twoIsolates()
    const subscription = await one.subscribe({ batchSettings: batching({ maxEvents: 5 }) })
    await one.publish(...events(25))
    const [hint] = one.paced.bodies
    for (let copies = 0; copies < 5; copies++) one.paced.put(hint)
    const consume = async (rig: Rig) => {
      while (rig.paced.visible > 0) await rig.consume(rig.paced)
    }
    const halves = [consume(one), consume(other)]
    one.paced.put(hint)
    await Promise.all([...halves, consume(other), consume(one)])
    await one.drain()
    expect(notOnce(one, ids(25))).toEqual([])
    expect(await batchRows(subscription)).toHaveLength(5)
  })

  test('when all hints are doubled', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ batchSettings: batching({ maxEvents: 3 }) })
    await rig.publish(...events(2))
    rig.paced.double()
    await rig.drain()
    await rig.publish(event('e2'))
    rig.paced.double()
    await rig.drain()
    await expectBatches(rig, subscription, [['count', ids(3)]])
  })

  test('when a hint comes a second time long after its events have left', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ batchSettings: batching({ maxEvents: 3, maxWaitTime: 30 }) })
    await rig.publish(...events(3))
    const late = rig.paced.bodies
    await rig.drain()
    rig.clock.nowMs += MINUTE
    for (const hint of late) rig.paced.put(hint)
    await rig.drain()
    await rig.publish(...events(2, 3))
    await rig.drain()
    await expectBatches(rig, subscription, [['count', ids(3)]])
    // What is counted too much never makes a batch leave before its time.
    await ringAfter(rig, subscription, 29_999)
    expect(rig.posts).toHaveLength(1)
    await ringAfter(rig, subscription, 1)
    await expectBatches(rig, subscription, [
      ['count', ids(3)],
      ['wait', ids(2, 3)],
    ])
  })

  test('when every hint is lost: the sweep finds what waits, and it leaves when it is due', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ batchSettings: batching({ maxEvents: 3, maxWaitTime: 90 }) })
    await rig.publish(...events(3))
    await rig.publish(...events(2, 3))
    rig.paced.lose()
    rig.clock.nowMs += MINUTE
    await rig.sweep()
    await rig.drain()
    await expectBatches(rig, subscription, [['count', ids(3)]])
    rig.clock.nowMs += MINUTE
    await rig.sweep()
    await rig.drain()
    await expectBatches(rig, subscription, [
      ['count', ids(3)],
      ['wait', ids(2, 3)],
    ])
  })

  test('when its hints come in the opposite order: accepted order is kept', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ batchSettings: batching({ maxEvents: 4 }) })
    for (let n = 0; n < 4; n++) await rig.publish(event(`e${n}`))
    const hints = rig.paced.bodies
    rig.paced.lose()
    for (const hint of hints.toReversed()) {
      rig.paced.put(hint)
      await rig.drain()
    }
    await expectBatches(rig, subscription, [['count', ids(4)]])
  })

  test('when the pacer has forgotten everything', async () => {
    const world = createWorld()
    const workspace = `ws-${crypto.randomUUID()}`
    const rig = await createRig({ world, workspace })
    const subscription = await rig.subscribe({ batchSettings: batching({ maxEvents: 4, maxWaitTime: 30 }) })
    await rig.publish(...events(3))
    await rig.drain()
    world.pacersOf = crypto.randomUUID()
    await rig.publish(event('e3'))
    await rig.drain()
    rig.clock.nowMs += MINUTE
    await rig.sweep()
    await rig.drain()
    expect(notOnce(rig, ids(4))).toEqual([])
    expect(await batchRows(subscription)).toHaveLength(1)
  })

  test('when the sweep and the alarm find it at the same time', async () => {
    const [one, other] = await twoIsolates()
    const subscription = await one.subscribe({ batchSettings: batching({ maxWaitTime: 30 }) })
    await one.publish(...events(5))
    await one.drain()
    one.clock.nowMs += MINUTE
    one.ring(subscription)
    await Promise.all([one.drain(), other.sweep().then(() => other.drain())])
    await one.drain()
    await expectBatches(one, subscription, [['wait', ids(5)]])
  })
})

test('a hint for a subscription that was deleted, or has never been, is dropped', async () => {
  const rig = await createRig()
  const subscription = await rig.subscribe({ batchSettings: batching() })
  await rig.publish(...events(2))
  const hints = rig.paced.bodies
  await clientOf(rig).call('DELETE', `/webhooks/${subscription.id}`)
  for (const hint of hints) rig.paced.put(hint)
  await rig.relay.hintPaced([{ no: 999_999, events: 3, bytes: 10, sinceMs: 1 }, { no: 999_998 }])
  await rig.relay.hintPaced([
    { no: 999_997, alarm: true },
    { no: 999_996, ordered: true },
  ])
  await rig.drain()
  expect(rig.posts).toEqual([])
  expect(rig.paced.bodies).toEqual([])
})

/** Numbers from 0 up to 1 that a seed decides. */
function chanceOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

const STEPS = 60

/** Everything that may happen to a batching subscription, in an order that a seed decides, on two isolates. */
async function interleave(seed: number) {
  const chance = chanceOf(seed)
  const below = (count: number) => Math.floor(chance() * count)
  const [one, other] = await twoIsolates()
  const retryPolicy = { schedule: Array.from({ length: 90 }, () => 5) }
  const settings = batching({ maxEvents: 4 + below(8), maxWaitTime: 10, flushOnEvent: ['go'] })
  const subscription = await one.subscribe({ batchSettings: settings, retryPolicy })
  const accepted: string[] = []
  const delivered: string[][] = []
  one.receivers.set(subscription.settings.url, (post) => {
    if (chance() < 0.1) return new Response('', { status: 500 })
    delivered.push(idsIn(post))
    return new Response('ok')
  })
  const either = () => (chance() < 0.5 ? one : other)
  const publish = async () => {
    const fresh = ids(1 + below(9), accepted.length)
    accepted.push(...fresh)
    await either().publish(...fresh.map((id) => event(id, below(20) === 0 ? 'go' : 'invoice.created')))
  }
  const change = async () => {
    await ask(either(), 'PATCH', `/webhooks/${subscription.id}`, {
      batchSettings: { maxEvents: 2 + below(10), maxWaitTime: 5 + below(20) },
    })
  }
  const steps: (() => unknown)[] = [
    publish,
    publish,
    publish,
    () => either().consume(one.paced),
    () => either().consume(one.retries),
    () => Promise.all([one.consume(one.paced), other.consume(one.paced), publish()]),
    () => Promise.all([one.consume(one.retries), other.drain()]),
    () => one.paced.lose(),
    () => one.paced.double(),
    () => one.ring(subscription),
    () => either().sweep(),
    change,
    () => {
      one.clock.nowMs += below(15_000)
    },
  ]
  for (let step = 0; step < STEPS; step++) await steps[below(steps.length)]?.()
  for (let round = 0; round < 6; round++) {
    one.clock.nowMs += MINUTE
    await one.sweep()
    await one.drain()
  }
  return {
    accepted,
    delivered,
    rows: await rowsTo(one, subscription),
    batches: await batchRows(subscription),
  }
}

const SEEDS = atFullCount(12, { short: 6 })

test.each(Array.from({ length: SEEDS }, (_, n) => n + 1))(
  'whatever happens in whatever order, each event is in exactly one batch that arrives, in accepted order (seed %i)',
  async (seed) => {
    const { accepted, delivered, rows, batches } = await interleave(seed)
    expect(delivered.flat().toSorted()).toEqual(accepted.toSorted())
    const position = new Map(accepted.map((id, n) => [id, n]))
    for (const members of delivered) {
      const positions = members.map((id) => position.get(id) ?? -1)
      expect(positions).toEqual(positions.toSorted((a, b) => a - b))
    }
    expect(rows.filter(({ state }) => state !== SUCCESS)).toEqual([])
    expect(rows).toHaveLength(accepted.length)
    const members = batches.flatMap((batch) => batch.members)
    expect(new Set(members).size).toBe(members.length)
    expect(batches.filter((batch) => batch.due_at_ms !== null)).toEqual([])
  },
)

test('a subscription whose hints are all lost still has its rows: nothing waits anywhere else', async () => {
  const rig = await createRig()
  const subscription = await rig.subscribe({ batchSettings: batching() })
  await rig.publish(...events(3))
  rig.paced.lose()
  expect((await rowsTo(rig, subscription)).map(({ state, due_at_ms }) => [state, due_at_ms])).toEqual(
    Array(3).fill([PENDING, null]),
  )
  rig.receivers.set(subscription.settings.url, answer(200))
  await askAndServe(rig, 'POST', `/webhooks/${subscription.id}/flush`)
  await expectBatches(rig, subscription, [['request', ids(3)]])
})
