import { describe, expect, test } from 'vitest'
import { Client, expectInvalid } from '../../../../support/process/http-client.ts'

const client = new Client()
const good = { url: 'https://a.example.com/hooks', events: ['*'] }

describe('a subscription takes', () => {
  test.each<[string, Record<string, unknown>, object]>([
    ['is_active', { is_active: false }, { active: false }],
    ['timeout', { timeout: 25 }, { timeoutSeconds: 25 }],
    [
      'max_retries and retry_delay',
      { max_retries: 3, retry_delay: 60 },
      { retryPolicy: { maxRetries: 3, retryDelay: 60 } },
    ],
    [
      'max_retries beside a retryPolicy',
      { max_retries: 3, retryPolicy: { retryDelay: 7 } },
      { retryPolicy: { maxRetries: 3, retryDelay: 7 } },
    ],
    [
      'max_retries and retry_delay in retryPolicy',
      { retryPolicy: { max_retries: 2, retry_delay: 9, backoffMultiplier: 3 } },
      { retryPolicy: { maxRetries: 2, retryDelay: 9, backoffMultiplier: 3 } },
    ],
    [
      'status_code in response rules',
      {
        responseRules: [
          { status_code: 423, outcome: 'final' },
          { status: 200, outcome: 'retry' },
        ],
      },
      {
        responseRules: [
          { status: 423, outcome: 'final' },
          { status: 200, outcome: 'retry' },
        ],
      },
    ],
    ['a name and its alias that agree', { active: false, is_active: false }, { active: false }],
    ['its own workspace', { workspace_id: client.workspace }, {}],
    ['a name beside the description', { name: 'CRM', description: 'd' }, { name: 'CRM', description: 'd' }],
    ['the one method and checked certificates', { method: 'post', sslVerification: true }, {}],
  ])('%s', async (_, sent, shown) => {
    const created = await client.subscribe(sent)
    expect(created).toMatchObject(shown)
    const { id } = await client.subscribe()
    for (const method of ['PUT', 'PATCH']) {
      const changed = await client.call(method, `/webhooks/${id}`, { json: sent })
      expect(changed.data, changed.text).toMatchObject(shown)
    }
  })

  test('the number of its workspace', async () => {
    const numbered = new Client('456')
    await numbered.subscribe({ workspace_id: 456 })
    await numbered.subscribe({ workspace_id: '456' })
    expectInvalid(
      await numbered.post('/webhooks/subscribe', { ...good, workspace_id: 457 }),
      'workspace_id',
      /must be the workspace of the call, "456"/,
    )
  })
})

describe('a subscription is refused with', () => {
  test.each<[string, object, string, RegExp]>([
    [
      'a name and its alias that differ',
      { active: true, is_active: false },
      'is_active',
      /alias of "active"/,
    ],
    [
      'a policy and an alias that differ',
      { max_retries: 3, retryPolicy: { maxRetries: 4 } },
      'max_retries',
      /alias of "retryPolicy.maxRetries"/,
    ],
    ['no policy and an alias', { max_retries: 3, retryPolicy: null }, 'max_retries', /alias of/],
    ['a wrong value, under the name that was sent', { is_active: 'yes' }, 'is_active', /must be boolean/],
    ['another in a policy', { retry_delay: -1 }, 'retry_delay', />=0/],
    [
      'another in a rule',
      { responseRules: [{ status_code: 99, outcome: 'final' }] },
      'responseRules[0].status_code',
      /must be a status/,
    ],
    ['another workspace', { workspace_id: 'other' }, 'workspace_id', /must be the workspace of the call/],
    ['no workspace', { workspace_id: null }, 'workspace_id', /must be the workspace of the call/],
    ['another method', { method: 'PUT' }, 'method', /must be "POST": deliveries are POST requests/],
    [
      'unchecked certificates',
      { sslVerification: false },
      'sslVerification',
      /certificates are always checked/,
    ],
    ['a name of no character', { name: '' }, 'name', /1-200 characters/],
    ['an alias of nothing', { max_attempts: 3 }, 'max_attempts', /is not a field of this request/],
  ])('%s', async (_, sent, path, message) => {
    expectInvalid(await client.post('/webhooks/subscribe', { ...good, ...sent }), path, message)
  })
})

test('the draft of a preview takes the same names, and refuses under them', async () => {
  const preview = (subscription: object) =>
    client.post('/webhooks/preview', { subscription: { ...good, ...subscription } })
  expect((await preview({ is_active: true, workspace_id: client.workspace })).status).toBe(200)
  expectInvalid(await preview({ is_active: 1 }), 'subscription.is_active', /must be boolean/)
  expectInvalid(
    await preview({ workspace_id: 'x' }),
    'subscription.workspace_id',
    /the workspace of the call/,
  )
})

test('a dispatch takes the words for retries, time-outs and statuses', async () => {
  const target = { url: 'https://a.example.com/', secret: 'a-secret-of-ours', event: 'a', data: {} }
  const sent = { ...target, max_retries: 1, timeout: 3, method: 'POST', sslVerification: true }
  expect((await client.post('/dispatch', sent)).status).toBe(202)
  expectInvalid(await client.post('/dispatch', { ...sent, timeout: 31 }), 'timeout', /must be 1-30/)
  expectInvalid(await client.post('/dispatch', { ...sent, is_active: true }), 'is_active', /is not a field/)
})

test('the API document names the aliases of a call', async () => {
  const { text } = await client.get('/openapi.json')
  const { paths } = JSON.parse(text) as { paths: Record<string, { post: { description?: string } }> }
  const described = paths['/api/v1/webhooks/subscribe']?.post.description ?? ''
  expect(described).toContain('`is_active` for `active`')
  expect(described).toContain('`max_retries` for `retryPolicy.maxRetries`')
})

describe('all faults are named at once', () => {
  const paths = async (path: string, body: object) => {
    const { status, error } = await client.post(path, body)
    expect(status).toBe(400)
    return (error.details ?? []).map((detail) => detail.path).sort()
  }

  test('of an event: a missing type beside an unknown and a wrong field', async () => {
    expect(await paths('/events', { name: 'x', payload: {} })).toEqual(['data', 'event', 'name', 'payload'])
    expect(await paths('/dispatch', { name: 'x' })).toEqual(['data', 'event', 'name', 'secret', 'url'])
  })

  test('of a subscription: a bad url and secret beside bad events', async () => {
    const body = { url: 'ftp://a.example.com/', secret: 'short', events: ['a b'], extra: 1 }
    const all = ['events[0]', 'extra', 'secret', 'url']
    expect(await paths('/webhooks/subscribe', body)).toEqual(all)
    const previewed = await paths('/webhooks/preview', { subscription: body })
    expect(previewed).toEqual(all.map((path) => `subscription.${path}`))
    const { id } = await client.subscribe()
    const changed = await client.call('PUT', `/webhooks/${id}`, { json: body })
    expect((changed.error.details ?? []).map((detail) => detail.path).sort()).toEqual(all)
  })
})
