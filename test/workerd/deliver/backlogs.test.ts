import { beforeEach, expect, test } from 'vitest'
import type { Subscription } from '../../../src/subscription/subscription.ts'
import { createRig, freshStore, type Rig } from '../../support/rig/builders.ts'

const BACKLOG = 400
/** A claim of 100 deliveries takes half a second. */
const MS_PER_REQUEST = 5

beforeEach(freshStore)

/** A subscription to one type that owes so many deliveries, all of which are due. */
async function withDue(rig: Rig, type: string, count: number): Promise<Subscription> {
  const subscription = await rig.subscribe({ events: [type], health: 'suspect' })
  rig.receivers.set(subscription.settings.url, () => {
    rig.clock.nowMs += MS_PER_REQUEST
    return new Response('ok')
  })
  await rig.publish(...Array.from({ length: count }, () => ({ type })))
  while (rig.fast.visible + rig.bulk.visible > 0) {
    await rig.consume(rig.fast)
    await rig.consume(rig.bulk)
  }
  return subscription
}

const dueHint = ({ no }: Subscription) => ({ v: 1, kind: 'due', subscriptionNo: no })

test('one due delivery is made before the backlog of another subscription that was due earlier', async () => {
  const rig = await createRig()
  const laden = await withDue(rig, 'laden', BACKLOG)
  await rig.consume(rig.retries)
  expect(rig.postsTo(laden).length).toBeLessThan(BACKLOG / 2)
  expect(rig.bulkRetries.bodies).toEqual([dueHint(laden)])
  const other = await withDue(rig, 'other', 1)
  await rig.consume(rig.retries)
  expect(rig.postsTo(other)).toHaveLength(1)
  await rig.drain()
  expect(rig.postsTo(laden)).toHaveLength(BACKLOG)
})

test('a backlog has two hints at most, however often its subscription is looked at meanwhile', async () => {
  const rig = await createRig()
  const laden = await withDue(rig, 'laden', BACKLOG)
  await rig.consume(rig.retries)
  for (let looks = 0; looks < 2; looks++) {
    rig.retries.put(dueHint(laden))
    await rig.consume(rig.retries)
  }
  expect(rig.postsTo(laden).length).toBeLessThan(BACKLOG)
  expect(rig.bulkRetries.bodies).toEqual([dueHint(laden), dueHint(laden)])
  await rig.drain()
  expect(rig.postsTo(laden)).toHaveLength(BACKLOG)
})

test('a backlog whose hint another isolate has taken is looked at again within seconds', async () => {
  const rig = await createRig()
  const laden = await withDue(rig, 'laden', BACKLOG)
  await rig.consume(rig.retries)
  // The hint is gone, and this isolate does not hear of it.
  rig.bulkRetries.lose()
  rig.retries.put(dueHint(laden))
  await rig.consume(rig.retries)
  rig.clock.nowMs += 3_000
  await rig.drain()
  expect(rig.postsTo(laden)).toHaveLength(BACKLOG)
})
