import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { deliveryIdOf } from '../../../../../src/model/delivery.ts'
import type { Subscription } from '../../../../../src/subscription/subscription.ts'
import {
  type Answer,
  type Client,
  expectInvalid,
  expectRefusal,
} from '../../../../support/process/http-client.ts'
import { createRig, type Rig } from '../../../../support/rig/builders.ts'
import {
  current,
  dueSeqs,
  publishStanding,
  type ReplayAnswer,
  runToEnd,
  type Standing,
} from '../../../../support/rig/replays.ts'
import { clientOf } from '../../../../support/rig/rig-client.ts'

let rig: Rig
let client: Client
let subscription: Subscription
beforeEach(async () => {
  rig = await createRig()
  client = clientOf(rig)
  subscription = await rig.subscribe()
})

const standing = (...standings: Standing[]) => publishStanding(rig, subscription, standings)
const idOf = (seq: number | undefined) => deliveryIdOf({ subscriptionNo: subscription.no, seq: seq ?? 0 })
const show = async (id: string) => (await client.get<ReplayAnswer>(`/replays/${id}`)).data
/** Makes every step, as the queue's consumer does. */
const run = async (id: string) => void (await runToEnd(rig, await current(rig, id)))

describe('POST /events/{id}/replay', () => {
  const replayEvent = (id: string, body?: object) => client.post<ReplayAnswer>(`/events/${id}/replay`, body)
  const publishOwn = (id: string) => publishStanding(rig, subscription, ['success'], { id })

  test('makes a job over that one event', async () => {
    await publishOwn('own')
    const { status, data } = await replayEvent('own')
    expect([status, data]).toEqual([
      202,
      expect.objectContaining({
        webhookId: null,
        eventId: 'own',
        state: 'running',
        request: { webhooks: null },
      }),
    ])
    await run(data.id)
    expect(await show(data.id)).toMatchObject({ state: 'completed', examined: 1, replayed: 1 })
    await rig.drain()
    expect(rig.postsTo(subscription).map(({ headers }) => headers.get('webhook-id'))).toEqual(['own'])
  })

  test('goes to the webhooks it names', async () => {
    const other = await rig.subscribe()
    await publishOwn('own')
    const { data } = await replayEvent('own', { webhooks: [subscription.id] })
    expect(data.request).toEqual({ webhooks: [subscription.id] })
    await run(data.id)
    expect([await dueSeqs(subscription), await dueSeqs(other)].map((due) => due.length)).toEqual([1, 0])
  })

  test('refuses webhooks it was not owed to, and those of another workspace, by naming each', async () => {
    await publishOwn('own')
    const later = await rig.subscribe()
    const others = await (await createRig()).subscribe()
    const answer = await replayEvent('own', { webhooks: [subscription.id, later.id, others.id, 'none'] })
    expectRefusal(answer, 400, 'invalid_request')
    expect(answer.error.details).toEqual([
      { path: 'webhooks[1]', message: expect.stringMatching(/must be a webhook that the event was owed to/) },
      { path: 'webhooks[2]', message: 'must be the id of a webhook of this workspace' },
      { path: 'webhooks[3]', message: 'must be the id of a webhook of this workspace' },
    ])
  })

  test.each([
    [{ webhooks: [] }, 'webhooks', /must name 1-100 webhooks/],
    [{ webhooks: 'all' }, 'webhooks', /must be array/],
    [{ webhook: 'a' }, 'webhook', /is not a field/],
  ])('refuses %j by naming %s', async (body, path, message) => {
    await publishOwn('own')
    expectInvalid(await replayEvent('own', body), path, message)
  })

  test('answers 409 when a webhook it names is disabled', async () => {
    await publishOwn('own')
    await env.DB.prepare('UPDATE subscription SET active = 0 WHERE no = ?1').bind(subscription.no).run()
    const answer = await replayEvent('own', { webhooks: [subscription.id] })
    expectRefusal(answer, 409, 'conflict')
    expect(answer.error.message).toMatch(/is disabled or has been deleted. Enable it first/)
  })

  test.each([
    ['cancelled_at_ms', /was cancelled/],
    ['erased_at_ms', /was erased/],
  ])('answers 409 for an event with %s', async (column, message) => {
    await publishOwn('own')
    await env.DB.prepare(`UPDATE event SET ${column} = 1 WHERE own_id = 'own' AND pk >> 44 = ?1`)
      .bind(rig.workspaceNo)
      .run()
    const answer = await replayEvent('own')
    expectRefusal(answer, 409, 'conflict')
    expect(answer.error.message).toMatch(message)
  })
})

describe('POST /deliveries/{id}/replay', () => {
  const replayDelivery = (seq: number | undefined) =>
    client.post<ReplayAnswer>(`/deliveries/${idOf(seq)}/replay`)

  test.each(['success', 'failed', 'skipped'] as const)(
    'makes a delivery that ended as %s once more',
    async (state) => {
      const [seq] = await standing(state)
      const { status, data } = await replayDelivery(seq)
      expect([status, data]).toEqual([
        202,
        expect.objectContaining({
          ...{ webhookId: subscription.id, eventId: expect.stringMatching(/^evt_/), state: 'completed' },
          ...{ examined: 1, replayed: 1, request: { deliveryId: idOf(seq) } },
        }),
      ])
      await expect.poll(() => rig.retries.visible).toBeGreaterThan(0)
      await rig.drain()
      expect(rig.postsTo(subscription)).toHaveLength(1)
      expect(await dueSeqs(subscription)).toEqual([])
    },
  )

  test.each(['retries', 'pending'] as const)(
    'answers 409 while an attempt is outstanding: %s',
    async (state) => {
      const [seq] = await standing(state)
      expectOutstanding(await replayDelivery(seq))
    },
  )

  test('answers 409 before the first attempt of a delivery that has no row, and to the second of two replays', async () => {
    await standing('pending', 'success')
    const [, twice] = await standing('pending', 'success')
    await env.DB.prepare('DELETE FROM delivery WHERE state = 0 AND subscription_no = ?1')
      .bind(subscription.no)
      .run()
    const { data } = await client.get<{ id: string; status: string }[]>(`/webhooks/${subscription.id}/logs`)
    const pending = data.find(({ status }) => status === 'pending')
    expectOutstanding(await client.post(`/deliveries/${pending?.id}/replay`))
    expect((await replayDelivery(twice)).status).toBe(202)
    expectOutstanding(await replayDelivery(twice))
  })

  test.each([
    ['UPDATE subscription SET active = 0 WHERE no = ?1', /disabled. Enable it first/],
    ['UPDATE subscription SET deleted_at_ms = 1 WHERE no = ?1', /deleted/],
    [
      'DELETE FROM event WHERE pk >> 44 = (SELECT workspace_no FROM subscription WHERE no = ?1)',
      /past its retention/,
    ],
    [
      'UPDATE event SET cancelled_at_ms = 1 WHERE pk >> 44 = (SELECT workspace_no FROM subscription WHERE no = ?1)',
      /cancelled/,
    ],
    [
      'UPDATE event SET erased_at_ms = 1 WHERE pk >> 44 = (SELECT workspace_no FROM subscription WHERE no = ?1)',
      /erased/,
    ],
  ])('answers 409 after %s', async (sql, message) => {
    const [seq] = await standing('failed')
    await env.DB.prepare(sql).bind(subscription.no).run()
    const answer = await replayDelivery(seq)
    expectRefusal(answer, 409, 'conflict')
    expect(answer.error.message).toMatch(message)
    expect(await dueSeqs(subscription)).toEqual([])
  })
})

function expectOutstanding(answer: Answer): void {
  expectRefusal(answer, 409, 'conflict')
  expect(answer.error.message).toMatch(/An attempt of this delivery is still to come/)
}
