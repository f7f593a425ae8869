import { afterEach, describe, expect, test } from 'vitest'
import { Posthorn } from '../../../packages/client/src/index.ts'
import { ok, refused, type StubAnswer, StubRelay } from './stub-relay.ts'

let relay: StubRelay
afterEach(async () => await relay?.close())

/** A client whose first call has the given answer, and each further one the other. */
async function clientOf(first: StubAnswer | null, then: StubAnswer): Promise<Posthorn> {
  relay = await StubRelay.start((_, no) => (no === 1 ? first : then))
  return new Posthorn({ url: relay.url, key: 'k', retries: { firstDelayMs: 1, maxDelayMs: 2 } })
}

const BODY = { name: 'ci' } as never

const ONCE: [string, (posthorn: Posthorn) => Promise<unknown>][] = [
  ['keys.create', (posthorn) => posthorn.keys.create(BODY)],
  ['keys.rotate', (posthorn) => posthorn.keys.rotate('key_1')],
  ['call of keys', (posthorn) => posthorn.call('post', '/api/v1/keys', { body: BODY })],
  ['call of portal-tokens', (posthorn) => posthorn.call('post', '/api/v1/portal-tokens', {})],
  [
    'call of listeners',
    (posthorn) => posthorn.call('post', '/api/v1/listeners', { body: { events: ['a'] } }),
  ],
]

describe('a call that the relay would do twice', () => {
  test.each(ONCE)('is not made again where it may be done: %s', async (_, call) => {
    for (const failure of [
      null,
      { status: 502, text: 'Bad gateway' },
      refused(503, 'unavailable', { 'Retry-After': '0' }),
    ]) {
      const posthorn = await clientOf(failure, ok({ id: 'key_1' }))
      await expect(call(posthorn)).rejects.toMatchObject({ name: 'PosthornError', isTransient: true })
      expect(relay.seen).toHaveLength(1)
      await relay.close()
    }
  })

  test.each(ONCE)('is made again after a limit: %s', async (_, call) => {
    const posthorn = await clientOf(refused(429, 'rate_limited', { 'Retry-After': '0' }), ok({ id: 'key_1' }))
    expect(await call(posthorn)).toEqual({ id: 'key_1' })
  })

  test('does not keep the others of its path from it', async () => {
    const posthorn = await clientOf(null, ok([]))
    expect((await posthorn.keys.list().page()).items).toEqual([])
  })
})

describe('a DELETE whose repeat finds nothing', () => {
  test.each<[string, (posthorn: Posthorn) => Promise<unknown>, object]>([
    ['a key', (posthorn) => posthorn.keys.delete('a'), { id: 'a', deleted: true }],
    ['a subscription', (posthorn) => posthorn.subscriptions.delete('a'), { id: 'a', deleted: true }],
    ['an event type', (posthorn) => posthorn.eventTypes.delete('a.b'), { name: 'a.b', deleted: true }],
  ])('has succeeded where an earlier one may have: %s', async (_, remove, answer) => {
    const posthorn = await clientOf(null, refused(404, 'not_found'))
    expect(await remove(posthorn)).toEqual(answer)
    expect(relay.seen).toHaveLength(2)
  })

  test.each([
    ['was refused for a limit', refused(429, 'rate_limited', { 'Retry-After': '0' })],
    ['found nothing', refused(404, 'not_found')],
  ])('has not where the earlier one %s', async (_, first) => {
    const posthorn = await clientOf(first, refused(404, 'not_found'))
    await expect(posthorn.keys.delete('a')).rejects.toMatchObject({ code: 'not_found' })
  })
})
