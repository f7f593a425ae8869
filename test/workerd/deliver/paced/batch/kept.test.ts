import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  askAndServe,
  batchRows,
  batchScene,
  drainAfter,
  events,
  ids,
  inTurn,
  statesOf,
} from '../../../../support/rig/batching.ts'
import { answer, freshStore, type SubscriptionInput } from '../../../../support/rig/builders.ts'
import { SUCCESS } from '../../../../support/rig/receiver-state.ts'

beforeEach(freshStore)

const SECOND = 1000

describe('a batch whose texts are large', () => {
  const large = (id: string) => ({ id, type: 'invoice.created', data: { text: 'x'.repeat(100_000) } })
  const transform = { template: { shaped: '{{data.text}}' } }

  test.each<[string, SubscriptionInput]>([
    ['rendered again from its events', {}],
    ['kept in R2', { transform }],
  ])('is retried with the same bytes, %s', async (_, settings) => {
    const { rig, subscription } = await batchScene(inTurn(answer(500), answer(200)), settings)
    await rig.publish(...ids(3).map(large))
    await rig.drain()
    const [batch] = await batchRows(subscription)
    expect(batch?.body_key === null).toBe(settings.transform === undefined)
    await drainAfter(rig, 10 * SECOND)
    const [first, second] = rig.posts
    expect(second?.body).toBe(first?.body)
    expect(await statesOf(rig, subscription)).toEqual([SUCCESS, SUCCESS, SUCCESS])
  })

  test('keeps what it sent, whatever becomes of the template', async () => {
    const { rig, subscription } = await batchScene(inTurn(answer(500), answer(200)), {
      transform: { template: { old: '{{data.id}}' } },
    })
    await rig.publish(...events(3))
    await rig.drain()
    await askAndServe(rig, 'PATCH', `/webhooks/${subscription.id}`, {
      transform: { template: { changed: '{{data.id}}' } },
    })
    await drainAfter(rig, 10 * SECOND)
    expect(rig.posts[1]?.body).toBe(rig.posts[0]?.body)
    await rig.publish(...events(3, 3))
    await rig.drain()
    expect(rig.posts[2]?.body).toContain('"changed"')
  })

  test('keeps the default form that it sent, although a template has been set since', async () => {
    const { rig, subscription } = await batchScene(inTurn(answer(500), answer(200)))
    await rig.publish(...events(3))
    await rig.drain()
    await askAndServe(rig, 'PATCH', `/webhooks/${subscription.id}`, {
      transform: { template: { changed: '{{data.id}}' } },
    })
    await drainAfter(rig, 10 * SECOND)
    expect(rig.posts[1]?.body).toBe(rig.posts[0]?.body)
  })
})

test('what a batch has kept is dropped when it has arrived', async () => {
  const { rig, subscription } = await batchScene(inTurn(answer(500), answer(200)), {
    transform: { template: { shaped: '{{data.id}}' } },
  })
  await rig.publish(...events(3))
  await rig.drain()
  expect((await batchRows(subscription)).map(({ body }) => body)).toEqual([rig.posts[0]?.body])
  await drainAfter(rig, 10 * SECOND)
  expect(await batchRows(subscription)).toMatchObject([{ body: null, body_key: null }])
  expect((await env.DB.prepare('SELECT * FROM kept_body').all()).results).toEqual([])
})
