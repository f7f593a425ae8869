import { env } from 'cloudflare:workers'
import { beforeEach, expect, test } from 'vitest'
import type { PairsHint } from '../../../src/hints/hint.ts'
import { pairsOf } from '../../../src/hints/pairs.ts'
import { answer, createRig, freshStore, hang } from '../../support/rig/builders.ts'

beforeEach(freshStore)

async function healthOf(no: number): Promise<number | null> {
  return await env.DB.prepare('SELECT health FROM subscription WHERE no = ?1')
    .bind(no)
    .first<number>('health')
}

const UNPROVEN = 0
const HEALTHY = 1
const SUSPECT = 2

test('an unproven receiver gets nothing from the consumers of the proven ones', async () => {
  const rig = await createRig()
  await rig.subscribe({ health: 'unproven' })
  await rig.publish({}, {})
  await rig.consume(rig.fast)
  expect(rig.posts).toEqual([])
})

test('what is owed to an unproven receiver goes to the queue of the unproven', async () => {
  const rig = await createRig()
  const subscription = await rig.subscribe({ health: 'unproven' })
  await rig.publish({}, {})
  await rig.consume(rig.fast)
  expect(rig.unproven.bodies).toMatchObject([{ kind: 'pairs', workspaceNo: rig.workspaceNo }])
  const hinted = rig.unproven.bodies.flatMap((body) => pairsOf(body as PairsHint))
  expect(new Set(hinted.map(({ subscriptionNo }) => subscriptionNo))).toEqual(new Set([subscription.no]))
  expect(hinted).toHaveLength(2)
})

test('a proven receiver of the same events is served at once', async () => {
  const rig = await createRig()
  await rig.subscribe({ health: 'unproven' })
  const proven = await rig.subscribe()
  await rig.publish({}, {})
  await rig.consume(rig.fast)
  expect(rig.posts.map(({ url }) => url)).toEqual([proven.settings.url, proven.settings.url])
})

test('an event to more unproven receivers than one claim takes is handed on once for each of them', async () => {
  const rig = await createRig()
  const all = []
  for (let i = 0; i < 250; i++) all.push(await rig.subscribe({ health: 'unproven' }))
  await rig.publish({})
  await rig.consume(rig.fast)
  const handedOn = rig.unproven.bodies
    .flatMap((body) => pairsOf(body as PairsHint))
    .map(({ subscriptionNo }) => subscriptionNo)
  expect(handedOn.sort((a, b) => a - b)).toEqual(all.map(({ no }) => no))
})

test('every event of several hints reaches an unproven receiver once', async () => {
  const rig = await createRig()
  const unproven = await rig.subscribe({ health: 'unproven' })
  await rig.subscribe()
  for (let i = 0; i < 4; i++)
    await rig.publish(...Array.from({ length: 60 }, (_, k) => ({ data: { n: i * 60 + k } })))
  await rig.drain()
  // Later ones wait a second for the answer to the first.
  rig.clock.nowMs += 1_000
  await rig.drain()
  const numbers = rig.postsTo(unproven).map(({ body }) => JSON.parse(body).data.n as number)
  expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 240 }, (_, n) => n))
})

test('one success makes an unproven receiver healthy', async () => {
  const rig = await createRig()
  const subscription = await rig.subscribe({ health: 'unproven' })
  await rig.publish({})
  await rig.drain()
  expect(await healthOf(subscription.no)).toBe(HEALTHY)
})

test('one success makes a suspect receiver healthy', async () => {
  const rig = await createRig()
  const subscription = await rig.subscribe({ health: 'suspect' })
  await rig.publish({})
  await rig.drain()
  expect(await healthOf(subscription.no)).toBe(HEALTHY)
})

test.each(['fast', 'unproven'] as const)(
  'what is owed to a suspect receiver waits in D1 as due, whichever queue its hint came from: %s',
  async (queue) => {
    const rig = await createRig()
    await rig.subscribe({ health: 'suspect' })
    await rig.publish({}, {})
    const [hint] = rig.fast.bodies
    rig.fast.lose()
    rig[queue].put(hint)
    await rig.consume(rig[queue])
    const row = { state: 0, due_at_ms: rig.clock.nowMs, attempts: 0 }
    expect([rig.posts, await rig.deliveries()]).toMatchObject([[], [row, row]])
  },
)

test('a suspect receiver is served by the consumers of retries', async () => {
  const rig = await createRig()
  const subscription = await rig.subscribe({ health: 'suspect' })
  await rig.publish({}, {})
  await rig.consume(rig.fast)
  await rig.consume(rig.retries)
  expect(rig.postsTo(subscription)).toHaveLength(2)
})

test('a proven receiver that lets a request run out of time is suspect', async () => {
  const rig = await createRig()
  const subscription = await rig.subscribe({ timeoutSeconds: 0.05 })
  rig.receivers.set(subscription.settings.url, hang)
  await rig.publish({})
  await rig.drain()
  expect(await healthOf(subscription.no)).toBe(SUSPECT)
})

test('an unproven receiver that fails stays unproven', async () => {
  const rig = await createRig()
  const subscription = await rig.subscribe({ health: 'unproven' })
  rig.receivers.set(subscription.settings.url, answer(500))
  await rig.publish({})
  await rig.drain()
  expect(await healthOf(subscription.no)).toBe(UNPROVEN)
})

test('a change of health does not make isolates match afresh', async () => {
  const rig = await createRig()
  await rig.subscribe({ health: 'unproven' })
  const version = () => env.DB.prepare('SELECT config_version FROM workspace').first('config_version')
  const before = await version()
  await rig.publish({})
  await rig.drain()
  expect(await version()).toBe(before)
})
