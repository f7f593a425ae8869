import { env } from 'cloudflare:workers'
import { Webhook } from 'standardwebhooks'
import { describe, expect, test } from 'vitest'
import { SEQ_MAX } from '../../../../../src/base/ids/seq.ts'
import { PayloadRenderer } from '../../../../../src/deliver/attempt/payload/payload-renderer.ts'
import { type Addressed, buildRequest } from '../../../../../src/deliver/attempt/request.ts'
import { batchIdOf } from '../../../../../src/model/delivery.ts'
import { SECRET } from '../../../../support/rig/builders.ts'
import { drafted, requestDeps, requestOf, type Settings, stored } from './batches.ts'

const NOW_MS = Date.now()
const DATA = '{ "total": 2567.50, "n": 12345678901234567890, "name": "Zoë" }'
const EVENT = await stored(1, DATA)

async function single(input: Settings, earlier: Addressed['earlier'] = null, event = EVENT) {
  const deps = requestDeps()
  const subscription = await drafted(deps, input)
  const renderer = new PayloadRenderer(env.BODIES)
  const own = { ...subscription, no: 7 }
  const built = await buildRequest(
    deps,
    { subscription: own, event, attemptNo: 1, earlier, renderer },
    NOW_MS,
  )
  if (built.kind === 'unsent') throw new Error(built.message)
  return { ...requestOf(built), payload: built.payload }
}

const OFF: Settings = { batchSettings: { enabled: false } }
const again = (
  payload: 'none' | 'default' | 'kept',
  change: Partial<NonNullable<Addressed['earlier']>> = {},
) => {
  return { payload, kept: null, replayBase: 0, replayId: null, ...change }
}
const LONE_ID = batchIdOf({ subscriptionNo: 7, batchNo: SEQ_MAX - EVENT.seq })

describe('one event to a subscription that takes batches', () => {
  test.each<[string, Settings]>([
    ['the default', {}],
    ['shaped', { profile: 'core' }],
  ])('goes as a batch of one, in the %s form, under an id of its delivery', async (_, input) => {
    const { headers, lower, body, payload } = await single(input)
    const alone = (await single({ ...input, ...OFF })).body
    const time = new Date(EVENT.acceptedAtMs).toISOString()
    expect(body).toBe(`{"batch":true,"events":[${alone}],"batchId":"${LONE_ID}","batchTimestamp":"${time}"}`)
    expect(payload).toMatchObject({ kind: 'kept', text: body })
    expect(lower).not.toHaveProperty('x-posthorn-replay')
    if (input['profile'] === undefined) {
      expect(lower['webhook-id']).toBe(LONE_ID)
      expect(new Webhook(SECRET).verify(body, headers)).toEqual(JSON.parse(body))
    } else {
      expect(lower['x-webhook-id']).toBe(LONE_ID)
    }
  })

  test('goes so however large it is', async () => {
    const large = await stored(9, `{"text":"${'é'.repeat(700_000)}"}`)
    const { body, payload } = await single({}, null, large)
    expect(payload.kind).toBe('kept')
    expect(payload.text === body).toBe(true)
    expect((JSON.parse(body) as { events: unknown[] }).events).toHaveLength(1)
  })

  test.each<[string, Settings]>([
    ['seed 002', {}],
    ['CloudEvents', { profile: 'cloudevents' }],
  ])('is retried with the same bytes under the same id, in the form of %s', async (_, input) => {
    const first = await single(input)
    const kept = { contentType: first.payload.contentType, body: first.body, bodyKey: null }
    const second = await single(input, again('kept', { kept }))
    expect([second.body, second.lower['content-type']]).toEqual([first.body, first.lower['content-type']])
    expect(second.lower['webhook-id']).toBe(LONE_ID)
  })

  test.each<[string, Settings, string, RegExp]>([
    [
      'its template fails',
      { transform: { template: { a: '{{ 1 | divided_by: data.total }}' } } },
      'template',
      /^template\.a: /,
    ],
    ['its large text is gone', {}, 'internal', /missing from storage/],
  ])('is not sent where %s, and says so as one without a batch would', async (_, input, fault, message) => {
    const deps = requestDeps()
    const subscription = await drafted(deps, input)
    const data = fault === 'internal' ? `{"text":"${'x'.repeat(70_000)}"}` : '{"total":0}'
    const event = await stored(11, data)
    await env.BODIES.delete(event.bodyKey ?? '')
    const renderer = new PayloadRenderer(env.BODIES)
    const built = await buildRequest(
      deps,
      { subscription, event, attemptNo: 1, earlier: null, renderer },
      NOW_MS,
    )
    expect(built).toMatchObject({
      kind: 'unsent',
      fault,
      message: expect.stringMatching(message),
      payload: null,
    })
  })

  test('is retried so after batching has been switched off', async () => {
    const first = await single({})
    const kept = { contentType: 'application/json', body: first.body, bodyKey: null }
    const second = await single(OFF, again('kept', { kept }))
    expect([second.body, second.lower['webhook-id']]).toEqual([first.body, LONE_ID])
  })

  test('replayed says so', async () => {
    const { lower, body } = await single({}, again('none', { replayId: 'replay_1' }))
    expect(lower).toMatchObject({ 'x-posthorn-replay': 'replay_1', 'webhook-id': LONE_ID })
    expect(body).toMatch(/^\{"batch":true,/)
  })
})

describe('one event that was attempted before batching was switched on', () => {
  test('is retried as it was: in the default form', async () => {
    const { body, lower } = await single({}, again('default'))
    expect(body).toBe((await single(OFF)).body)
    expect(lower['webhook-id']).toBe('evt_1')
  })

  test('is retried as it was: with the bytes that were kept', async () => {
    const kept = { contentType: 'application/json', body: '{"own":"form"}', bodyKey: null }
    const { body, lower } = await single({}, again('kept', { kept }))
    expect([body, lower['webhook-id']]).toEqual([kept.body, 'evt_1'])
  })
})
