import { env } from 'cloudflare:workers'
import { beforeEach, expect, test } from 'vitest'
import {
  ask, batching, batchOf, batchRows, batchScene, drainAfter, event, events, ids, idsIn, inTurn, logOf, statesOf,
} from '../../support/batching.ts'
import { answer, createRig, freshStore, type Rig } from '../../support/builders.ts'
import { rowsTo, stateOf } from '../../support/receiver-state.ts'
import { publish } from '../../../src/pipeline/publish.ts'
import { draft } from '../../support/builders.ts'
import type { Subscription } from '../../../src/domain/subscription.ts'
import { clientOf } from '../../support/rig-client.ts'

beforeEach(freshStore)
const keyed = (id: string, key: string, extra: object = {}) => ({ id, type: 'invoice.created', data: { id, key, ...extra } })
const BY_KEY = { ordered: true, orderingKey: 'data.key' } as const
const long = { retryPolicy: { schedule: [10, 20, 30, 40, 50, 60] } }
const show = (rig: Rig, s: Subscription) => JSON.stringify(rig.postsTo(s).map((p) => p.body.includes('"batch":true') ? idsIn(p) : [JSON.parse(p.body).id]))

test('R1 413 halves, then the first half fails and is split by key: order of a key', async () => {
  const rig = await createRig()
  const s = await rig.subscribe({ ...BY_KEY, ...long, batchSettings: batching({ maxEvents: 4 }) })
  let failed = false
  const sent: [string[], number][] = []
  rig.receivers.set(s.settings.url, (post) => {
    const members = idsIn(post)
    let status = 200
    if (members.length > 2) status = 413
    else if (!failed) { failed = true; status = 500 }
    sent.push([members, status])
    return new Response('', { status })
  })
  await rig.publish(keyed('x1', 'x'), keyed('y1', 'y'), keyed('x2', 'x'), keyed('y2', 'y'))
  await rig.drain()
  for (let i = 0; i < 10; i++) { rig.clock.nowMs += 20_000; await rig.sweep(); await rig.drain() }
  console.log('R1', JSON.stringify(sent))
  const firstOk = sent.filter(([, st]) => st === 200).flatMap(([m]) => m)
  expect(firstOk.filter((id) => id.startsWith('x'))).toEqual(['x1', 'x2'])
})

test('R1b overflow by bytes, the carried part fails and is split by key', async () => {
  const rig = await createRig()
  // a transform makes each event much larger than it was taken for
  const s = await rig.subscribe({ ...BY_KEY, ...long, batchSettings: batching({ maxEvents: 4, maxBytes: 1000 }),
    transform: { template: { id: '{{id}}', pad: 'p'.repeat(350) } } })
  let failed = false
  const sent: [string[], number][] = []
  rig.receivers.set(s.settings.url, (post) => {
    const members = idsIn(post)
    let status = 200
    if (!failed) { failed = true; status = 500 }
    sent.push([members, status])
    return new Response('', { status })
  })
  await rig.publish(keyed('x1', 'x'), keyed('y1', 'y'), keyed('x2', 'x'), keyed('y2', 'y'))
  await rig.drain()
  for (let i = 0; i < 10; i++) { rig.clock.nowMs += 20_000; await rig.sweep(); await rig.drain() }
  console.log('R1b', JSON.stringify(sent))
  const firstOk = sent.filter(([, st]) => st === 200).flatMap(([m]) => m)
  expect(firstOk.filter((id) => id.startsWith('x'))).toEqual(['x1', 'x2'])
})

test('R2 template fault in an ordered batch: those of its key wait (block)', async () => {
  const rig = await createRig()
  const s = await rig.subscribe({ ...BY_KEY, ...long, batchSettings: batching({ maxEvents: 2 }),
    transform: { template: { id: '{{id}}', n: '{{ data.n | divided_by: data.d }}' } } })
  await rig.publish(keyed('x1', 'x', { n: 1, d: 0 }), keyed('x2', 'x', { n: 1, d: 1 }))
  await rig.drain()
  for (let i = 0; i < 3; i++) { rig.clock.nowMs += 60_000; await rig.sweep(); await rig.drain() }
  console.log('R2 batch', show(rig, s), JSON.stringify(await rowsTo(rig, s)))
  const rig2 = await createRig()
  const s2 = await rig2.subscribe({ ...BY_KEY, ...long,
    transform: { template: { id: '{{id}}', n: '{{ data.n | divided_by: data.d }}' } } })
  await rig2.publish(keyed('x1', 'x', { n: 1, d: 0 }), keyed('x2', 'x', { n: 1, d: 1 }))
  await rig2.drain()
  console.log('R2 single', show(rig2, s2), JSON.stringify(await rowsTo(rig2, s2)))
  expect(rig.postsTo(s)).toHaveLength(0)
})

test('R3 scheduled event passes earlier ones that rest for their batch', async () => {
  const rig = await createRig()
  const s = await rig.subscribe({ ordered: true, batchSettings: batching({ maxEvents: 10, maxWaitTime: 300 }) })
  await rig.publish(event('a'))
  const d = { ...draft(event('b')), deliverAtMs: rig.clock.nowMs + 5_000 }
  await publish(rig.publishDeps, rig.workspace, [{ draft: d, idempotencyKey: null }])
  await rig.drain()
  for (let i = 0; i < 8; i++) { rig.clock.nowMs += 60_000; await rig.sweep(); rig.ring(s); await rig.drain() }
  console.log('R3', show(rig, s))
  expect(rig.postsTo(s).flatMap(idsIn)).toEqual(['a', 'b'])
})

test('R4 order switched on while an unordered batch is to be retried', async () => {
  const rig = await createRig()
  const s = await rig.subscribe({ ...long, batchSettings: batching({ maxEvents: 2, maxWaitTime: 1 }) })
  let n = 0
  const sent: [string[], number][] = []
  rig.receivers.set(s.settings.url, (post) => {
    const status = idsIn(post).includes('e0') && n++ < 2 ? 500 : 200
    sent.push([idsIn(post), status])
    return new Response('', { status })
  })
  await rig.publish(...events(2))
  await rig.drain()
  await ask(rig, 'PATCH', `/webhooks/${s.id}`, { ordered: true })
  await rig.drain()
  await rig.publish(...events(2, 2))
  await rig.drain()
  for (let i = 0; i < 10; i++) { rig.clock.nowMs += 20_000; await rig.sweep(); rig.ring(s); await rig.drain() }
  console.log('R4', JSON.stringify(sent))
  expect(sent.filter(([, st]) => st === 200).flatMap(([m]) => m)).toEqual(ids(4))
})

test('R5 all members of a retried batch have expired and the settlement fails after the batch was closed', async () => {
  const { rig, subscription } = await batchScene(answer(500), { retryPolicy: { schedule: [10, 10, 10] }, expiresAfterSeconds: 5 })
  await rig.publish(...events(3))
  await rig.drain()
  rig.clock.nowMs += 10_000
  const settle = rig.relay.work.settle
  rig.relay.work.settle = async () => { throw new Error('D1 is away') }
  await rig.drain()
  rig.relay.work.settle = settle
  for (let i = 0; i < 30; i++) { rig.clock.nowMs += 60_000; await rig.sweep(); rig.ring(subscription); await rig.drain() }
  console.log('R5', JSON.stringify(await rowsTo(rig, subscription)), JSON.stringify(await batchRows(subscription)))
  expect(await statesOf(rig, subscription)).toEqual([3, 3, 3])
})

test('R6 retry by a person of a member of a blocked batch: hint lost', async () => {
  const rig = await createRig()
  const s = await rig.subscribe({ ordered: true, retryPolicy: { schedule: [] }, batchSettings: batching({ maxEvents: 2 }) })
  rig.receivers.set(s.settings.url, inTurn(answer(500), answer(200)))
  await rig.publish(...events(4))
  await rig.drain()
  const log = await logOf(rig, s)
  await ask(rig, 'POST', `/deliveries/${log[0]?.id}/retry`)
  await ask(rig, 'POST', `/deliveries/${log[1]?.id}/retry`)
  rig.retries.lose()
  for (let i = 0; i < 10; i++) { rig.clock.nowMs += 60_000; await rig.sweep(); rig.ring(s); await rig.drain() }
  console.log('R6', show(rig, s), JSON.stringify(await rowsTo(rig, s)), JSON.stringify(await batchRows(s)), JSON.stringify((await logOf(rig, s)).map((r) => ({ st: r.status, next: (r as never as {nextRetryAt: unknown}).nextRetryAt }))))
  expect(await statesOf(rig, s)).toEqual([1, 1, 1, 1])
})
