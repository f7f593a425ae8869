import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Subscription } from '../../../../../src/subscription/subscription.ts'
import {
  askAndServe,
  batching,
  batchOf,
  batchRows,
  batchScene,
  drainAfter,
  events,
  expectBatches,
  ids,
  idsIn,
  inTurn,
  logOf,
  ringAfter,
  statesOf,
} from '../../../../support/rig/batching.ts'
import { answer, createRig, createWorld, freshStore, type Rig } from '../../../../support/rig/builders.ts'
import { watchD1 } from '../../../../support/rig/d1-watch.ts'
import { FAILED, rowsTo, SKIPPED, SUCCESS } from '../../../../support/rig/receiver-state.ts'
import { clientOf } from '../../../../support/rig/rig-client.ts'

beforeEach(freshStore)

const SECOND = 1000
const WAIT_MS = 300_000

type End = (rig: Rig, id: string) => Promise<unknown>

const cancel: End = (rig, id) => clientOf(rig).post(`/events/${id}/cancel`)
const erase: End = (rig, id) => clientOf(rig).call('DELETE', `/events/${id}`)
const ENDS: [string, End][] = [
  ['cancelled', cancel],
  ['erased', erase],
]

/** Three events bound to a batch by a consumer that lost the answer: no request has been made. */
async function bound() {
  const world = createWorld()
  let isLost = false
  const db = watchD1(env.DB, async ({ sql }, run) => {
    const results = await run()
    if (!isLost && sql.some((text) => text.includes('INSERT INTO batch'))) {
      isLost = true
      throw new Error('the answer is lost')
    }
    return results
  })
  const rig = await createRig({ world, db })
  const subscription = await rig.subscribe({ batchSettings: batching({ maxEvents: 3 }) })
  await rig.publish(...events(3))
  await rig.consume(rig.paced)
  rig.paced.lose()
  expect(await batchRows(subscription)).toMatchObject([{ fresh: 1, attempts: 0 }])
  expect(rig.posts).toEqual([])
  return { rig, subscription }
}

/** Lets the sweeper see to what nobody has in hand any more. */
async function recover(rig: Rig): Promise<void> {
  for (let rounds = 0; rounds < 3; rounds++) {
    rig.clock.nowMs += 60_000
    await rig.sweep()
    await rig.drain()
  }
}

async function reasons(rig: Rig, subscription: Subscription) {
  return (await logOf(rig, subscription)).map(({ status, reason }) => [status, reason])
}

describe.each(ENDS)('an event that is %s', (_, end) => {
  test('before it is bound is in no batch', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ batchSettings: batching() })
    await rig.publish(...events(3))
    await rig.drain()
    await end(rig, 'e1')
    await ringAfter(rig, subscription, WAIT_MS)
    await expectBatches(rig, subscription, [['wait', ['e0', 'e2']]])
    expect((await reasons(rig, subscription))[1]).toEqual(['skipped', 'cancelled'])
  })

  test('between the binding and the request is left out', async () => {
    const { rig, subscription } = await bound()
    await end(rig, 'e1')
    await recover(rig)
    await expectBatches(rig, subscription, [['count', ['e0', 'e2']]])
    expect((await reasons(rig, subscription))[1]).toEqual(['skipped', 'cancelled'])
  })

  test('between two attempts is in the first only; the others go on under the same id', async () => {
    const { rig, subscription } = await batchScene(inTurn(answer(500), answer(200)), {
      transform: { template: { id: '{{id}}', kept: '{{data.id}}' } },
    })
    await rig.publish(...events(3))
    await rig.drain()
    await end(rig, 'e1')
    await drainAfter(rig, 10 * SECOND)
    const [first, second] = rig.posts.map(batchOf)
    expect(rig.posts.map(idsIn)).toEqual([ids(3), ['e0', 'e2']])
    expect(second).toMatchObject({ batchId: first?.batchId, batchTimestamp: first?.batchTimestamp })
    expect(await statesOf(rig, subscription)).toEqual([SUCCESS, SKIPPED, SUCCESS])
    expect((await batchRows(subscription)).map(({ due_at_ms }) => due_at_ms)).toEqual([null])
  })

  test('like all others of its batch leaves nothing to send', async () => {
    const { rig, subscription } = await batchScene(inTurn(answer(500), answer(200)))
    await rig.publish(...events(3))
    await rig.drain()
    for (const id of ids(3)) await end(rig, id)
    await recover(rig)
    expect(rig.posts).toHaveLength(1)
    expect(await statesOf(rig, subscription)).toEqual([SKIPPED, SKIPPED, SKIPPED])
    // What comes next is not held up by it.
    await rig.publish(...events(3, 3))
    await rig.drain()
    expect(rig.posts.map(idsIn)).toEqual([ids(3), ids(3, 3)])
  })
})

test('erasing an event erases it from what its batch has kept as well', async () => {
  const { rig, subscription } = await batchScene(answer(500), {
    transform: { template: { secret: '{{data.id}}' } },
  })
  await rig.publish(...events(3))
  await rig.drain()
  expect((await batchRows(subscription))[0]?.body).toContain('"secret":"e1"')
  await erase(rig, 'e1')
  expect((await batchRows(subscription))[0]?.body).toBeNull()
  await drainAfter(rig, 10 * SECOND)
  expect((await batchRows(subscription))[0]?.body ?? '').not.toContain('"secret":"e1"')
})

describe('an event with times of its own', () => {
  test('that expires while it waits is skipped; the others leave', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ batchSettings: batching({ maxWaitTime: 30 }) })
    const client = clientOf(rig)
    await client.publish({ id: 'e0', event: 'a', data: {} })
    await client.publish({ id: 'e1', event: 'a', data: {}, expiresAfterSeconds: 10 })
    await rig.drain()
    await ringAfter(rig, subscription, 30 * SECOND)
    expect(rig.posts.map(idsIn)).toEqual([['e0']])
    expect(await reasons(rig, subscription)).toEqual([
      ['success', null],
      ['skipped', 'expired'],
    ])
  })

  test('that expires between two attempts is left out of the second', async () => {
    const { rig, subscription } = await batchScene(inTurn(answer(500), answer(500), answer(200)))
    const client = clientOf(rig)
    const expiring = { id: 'e1', event: 'a', data: {}, expiresAfterSeconds: 15 }
    const all = [{ id: 'e0', event: 'a', data: {} }, expiring, { id: 'e2', event: 'a', data: {} }]
    await client.post('/events', { events: all })
    await drainAfter(rig, 0)
    await ringAfter(rig, subscription, 0)
    await drainAfter(rig, 10 * SECOND)
    await drainAfter(rig, 20 * SECOND)
    expect(rig.posts.map(idsIn)).toEqual([ids(3), ids(3), ['e0', 'e2']])
    expect(await reasons(rig, subscription)).toEqual([
      ['success', null],
      ['skipped', 'expired'],
      ['success', null],
    ])
  })

  test('that is scheduled joins no batch before its time, and leaves when it has come', async () => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ batchSettings: batching({ maxWaitTime: 30 }) })
    const deliverAt = new Date(rig.clock.nowMs + 120 * SECOND).toISOString()
    const client = clientOf(rig)
    await client.publish({ id: 'later', event: 'a', data: {}, deliverAt })
    await client.publish({ id: 'now', event: 'a', data: {} })
    await rig.drain()
    await ringAfter(rig, subscription, 30 * SECOND)
    expect(rig.posts.map(idsIn)).toEqual([['now']])
    for (let seconds = 30; seconds < 120; seconds += 30) {
      expect(rig.posts).toHaveLength(1)
      rig.clock.nowMs += 30 * SECOND
      await rig.sweep()
      await rig.drain()
    }
    expect(rig.posts.map(idsIn)).toEqual([['now'], ['later']])
    expect(batchOf(rig.posts[1] as (typeof rig.posts)[0]).batch).toBe(true)
  })
})

describe('a member whose template fails', () => {
  const template = {
    id: '{{id}}',
    a: '{% if data.bad %}{% for i in (1..20000) %}{% endfor %}{% endif %}{{data.n}}',
  }
  const settings = { transform: { template } }
  const bad = { id: 'e1', type: 'a', data: { bad: true } }
  const good = (id: string) => ({ id, type: 'a', data: { n: 1 } })

  test('is left out and fails alone, for good as it would by itself; the others arrive', async () => {
    const { rig, subscription } = await batchScene(answer(200), settings)
    await rig.publish(good('e0'), bad, good('e2'))
    await rig.drain()
    expect(rig.posts.map(idsIn)).toEqual([['e0', 'e2']])
    expect(await statesOf(rig, subscription)).toEqual([SUCCESS, FAILED, SUCCESS])
    const [, row] = await logOf(rig, subscription)
    expect(row).toMatchObject({ error: 'template', batchId: null, explanation: expect.stringContaining('a') })
    await recover(rig)
    expect(rig.posts).toHaveLength(1)
    expect((await rowsTo(rig, subscription))[1]).toMatchObject({ due_at_ms: null, attempts: 1 })
  })

  test('arrives in a batch of its own when somebody retries it after the template has been mended', async () => {
    const { rig, subscription } = await batchScene(answer(200), settings)
    await rig.publish(good('e0'), bad, good('e2'))
    await rig.drain()
    await clientOf(rig).call('PATCH', `/webhooks/${subscription.id}`, {
      json: { transform: { template: { id: '{{id}}' } } },
    })
    const [, row] = await logOf(rig, subscription)
    await askAndServe(rig, 'POST', `/deliveries/${row?.id}/retry`)
    expect(rig.posts.map(idsIn)).toEqual([['e0', 'e2'], ['e1']])
    expect(await statesOf(rig, subscription)).toEqual([SUCCESS, SUCCESS, SUCCESS])
  })

  test('is not dragged along when the others have to be sent again', async () => {
    const { rig, subscription } = await batchScene(inTurn(answer(500), answer(200)), settings)
    await rig.publish(good('e0'), bad, good('e2'))
    await rig.drain()
    await drainAfter(rig, 10 * SECOND)
    expect(rig.posts.map(idsIn)).toEqual([
      ['e0', 'e2'],
      ['e0', 'e2'],
    ])
    expect(rig.posts[1]?.body).toBe(rig.posts[0]?.body)
    expect((await statesOf(rig, subscription)).filter((state) => state === SUCCESS)).toHaveLength(2)
  })

  test('like all of its batch makes no request', async () => {
    const { rig, subscription } = await batchScene(answer(200), settings)
    await rig.publish({ ...bad, id: 'e0' }, bad, { ...bad, id: 'e2' })
    await rig.drain()
    await recover(rig)
    expect(rig.posts).toEqual([])
    expect(await rowsTo(rig, subscription)).toMatchObject(
      Array(3).fill({ state: FAILED, error: 'template', due_at_ms: null }),
    )
    expect((await batchRows(subscription)).filter(({ due_at_ms }) => due_at_ms !== null)).toEqual([])
  })
})
