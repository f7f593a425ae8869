import { describe, expect, test } from 'vitest'
import { appWith, Client, expectInvalid, expectRefusal } from '../../../../support/process/http-client.ts'
import { receivers } from '../../../../support/receivers/receivers.ts'
import { dispatch, payloadOf, settled, targets } from './dispatches.ts'

describe('an own id', () => {
  test('makes a dispatch idempotent', async () => {
    const client = new Client()
    const target = { ...payloadOf(receivers.url()), id: 'mine' }
    const first = await dispatch(client, target)
    const again = await dispatch(client, target)
    expect([first.status, again.status, again.data.deliveryId]).toEqual([202, 202, first.data.deliveryId])
    await settled(client, first.data.deliveryId)
    await dispatch(client, target)
    expect(receivers.received(target.url)).toHaveLength(1)
  })

  test('is in conflict with other content, another target and a published event', async () => {
    const client = new Client()
    const target = { ...payloadOf(receivers.url()), id: 'mine' }
    const first = await dispatch(client, target)
    await client.publish({ id: 'published', event: target.event, data: target.data })
    for (const other of [
      { ...target, data: { order_id: 43 } },
      { ...target, event: 'order.cancelled' },
      { ...target, url: receivers.url() },
      { ...target, secret: 'another-shared-secret' },
      { ...target, id: 'published' },
    ]) {
      expectRefusal(await dispatch(client, other), 409, 'conflict')
    }
    await settled(client, first.data.deliveryId)
    expect(receivers.received(target.url)).toHaveLength(1)
    const published = { id: 'mine', event: target.event, data: target.data }
    expectRefusal(await client.post('/events', published), 409, 'conflict')
  })

  test('of the form of a generated one of the workspace is refused, as in a publish', async () => {
    const client = new Client()
    const { id } = await client.publish({ event: 'a', data: {} })
    expectInvalid(
      await dispatch(client, { ...payloadOf(receivers.url()), id }),
      'id',
      /form of an id this relay/,
    )
  })
})

describe('a dispatch is refused, by path, and leaves nothing:', () => {
  test.each<[string, object, string, RegExp]>([
    ['no url', { url: undefined }, 'url', /required/],
    ['no secret', { secret: undefined }, 'secret', /must be a string of 8-256/],
    [
      'a secret with what stood before it',
      { secret: 'v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZI' },
      'secret',
      /after "v1,"/,
    ],
    ['a short secret', { secret: 'abc' }, 'secret', /at least 8 characters/],
    ['no event', { event: undefined }, 'event', /required/],
    ['no data', { data: undefined }, 'data', /must be a JSON object/],
    ['ftp', { url: 'ftp://a.example.com/' }, 'url', /https/],
    ['a text as wait', { wait: 'yes' }, 'wait', /must be boolean/],
    ['an unknown profile', { profile: 'stripe' }, 'profile', /must be "standard"/],
    ['custom without its scheme', { profile: 'custom' }, 'custom', /is required/],
    ['a broken template', { transform: { template: '{{' } }, 'transform.template', /./],
    ['a masked credential', { auth: { type: 'bearer', token: '********' } }, 'auth.token', /must be given/],
    ['filters', { filters: {} }, 'filters', /is not a field/],
    ['a bad policy', { retryPolicy: { tries: 0 } }, 'retryPolicy.tries', />=1/],
    [
      '129 levels',
      { data: { a: JSON.parse(`${'['.repeat(128)}${']'.repeat(128)}`) } },
      'data',
      /at most 128/,
    ],
  ])('%s', async (_, fields, path, message) => {
    const client = new Client()
    expectInvalid(await dispatch(client, { ...payloadOf(receivers.url()), ...fields }), path, message)
    expect(await targets(client)).toEqual([])
    expect((await client.get<unknown[]>('/events')).data).toEqual([])
  })

  test.each([
    'https://127.0.0.1/',
    'http://a.example.com/',
    'https://localhost/',
    'https://169.254.169.254/',
    'https://relay.example.com/api/v1/events',
  ])('%s in production settings', async (url) => {
    const target = appWith(({ settings }) => ({ settings: { ...settings, allowPrivateDestinations: false } }))
    const production = new Client(undefined, { target })
    for (const wait of [false, true]) {
      expectInvalid(await dispatch(production, { ...payloadOf(url), wait }), 'url', /must/)
    }
    expect(receivers.received(url)).toEqual([])
  })
})
