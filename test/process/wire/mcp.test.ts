import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { Posthorn } from '../../../packages/client/src/index.ts'
import { sign } from '../../../src/signature/index.ts'
import { type SharedRelay, sharedRelay } from '../../support/process/shared-relay.ts'
import { Receiver } from '../../support/receivers/receiver.ts'

type Result = { text: string; data: Record<string, unknown>; isError: boolean }

const WORKSPACE = 'assistants'

let relay: SharedRelay
let receiver: Receiver
let posthorn: Posthorn
let assistant: Assistant
let failing: { id: string }
let picky: { id: string }

/** An assistant's connection, by the protocol's own client library. */
class Assistant {
  readonly client = new Client({ name: 'test', version: '1.0.0' })

  static async connect(key: string, workspace: string | null = null): Promise<Assistant> {
    const assistant = new Assistant()
    const headers = {
      Authorization: `Bearer ${key}`,
      ...(workspace !== null && { 'X-Company-Id': workspace }),
    }
    const url = new URL('/mcp', relay.url)
    await assistant.client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }))
    return assistant
  }

  async use(name: string, args: Record<string, unknown> = {}): Promise<Result> {
    const { content, structuredContent, isError } = await this.client.callTool({ name, arguments: args })
    const [first] = content as { text: string }[]
    return {
      text: first?.text ?? '',
      data: (structuredContent ?? {}) as Result['data'],
      isError: isError === true,
    }
  }
}

async function assistantWith(...scopes: string[]): Promise<Assistant> {
  const { key } = await posthorn.keys.create({ name: 'assistant', scopes: scopes as never })
  return await Assistant.connect(key)
}

beforeAll(async () => {
  relay = await sharedRelay()
  receiver = await Receiver.start()
  receiver.script('/down', 500)
  posthorn = new Posthorn({ url: relay.url, key: relay.adminKey, workspace: WORKSPACE })
  failing = await posthorn.subscriptions.create({
    url: receiver.url('/down'),
    events: ['order.*'],
    name: 'the shop',
    retryPolicy: { maxRetries: 0 },
  })
  picky = await posthorn.subscriptions.create({
    url: receiver.url('/big'),
    uid: 'big-orders',
    events: ['order.*'],
    filters: { 'data.total': { gt: 100 } } as never,
  })
  await posthorn.events.publish({
    id: 'order-7',
    event: 'order.created',
    data: { total: 7, buyer: 'Ann Marple' },
  })
  await untilFailed()
  assistant = await Assistant.connect(relay.adminKey, WORKSPACE)
})
afterAll(() => receiver?.close())

async function untilFailed(): Promise<void> {
  const look = async () => {
    const { items } = await posthorn.subscriptions.log(failing.id).page()
    // One that is due again says so until its attempt is over.
    expect(items[0]).toMatchObject({ status: 'failed', nextRetryAt: null })
  }
  await vi.waitFor(look, { timeout: 20_000, interval: 25 })
}

describe('an assistant', () => {
  test('is shown the tools, each with what it takes and the scope that it needs', async () => {
    const { tools } = await assistant.client.listTools()
    expect(tools.map(({ name }) => name)).toEqual([
      ...[
        'search_events',
        'explain_delivery',
        'list_subscriptions',
        'preview_subscription',
        'retry_delivery',
      ],
      ...['replay_subscription', 'get_replay', 'diagnose_signature'],
    ])
    const replay = tools.find(({ name }) => name === 'replay_subscription')
    expect(replay?.description).toContain('deliveries:retry')
    expect(replay?.inputSchema).toMatchObject({ type: 'object', required: ['subscription'] })
    expect(tools.filter(({ annotations }) => annotations?.readOnlyHint === false)).toHaveLength(2)
  })

  test('finds an event by a text in it, and is told why it was not delivered, and what to do', async () => {
    const { data } = await assistant.use('search_events', { q: 'marple' })
    expect(data['events']).toMatchObject([{ id: 'order-7' }])
    const whole = await assistant.use('explain_delivery', { event: 'order-7' })
    expect(whole.data['deliveries']).toHaveLength(2)
    const failed = await assistant.use('explain_delivery', { event: 'order-7', subscription: failing.id })
    expect(failed.text).toMatch(/failed.*500/)
    expect(failed.text).toMatch(/Delivery log_/)
    const refused = await assistant.use('explain_delivery', { event: 'order-7', subscription: 'big-orders' })
    expect(refused.text).toContain(picky.id)
    expect(refused.text).toMatch(/did not want the event.*data\.total/s)
  })

  test('lists subscriptions by health, and previews one', async () => {
    const all = await assistant.use('list_subscriptions')
    expect(all.data['subscriptions']).toHaveLength(2)
    const named = await assistant.use('list_subscriptions', { q: 'shop' })
    expect(named.text).toContain('the shop')
    expect((await assistant.use('list_subscriptions', { health: 'paused' })).text).toBe('No subscriptions.')
    const sample = { event: 'order.created', data: { total: 101 } }
    const preview = await assistant.use('preview_subscription', { subscription: 'big-orders', ...sample })
    expect(preview.data).toMatchObject({ matches: true })
  })

  test('retries a delivery', async () => {
    const { items } = await posthorn.subscriptions.log(failing.id).page()
    const { text, isError } = await assistant.use('retry_delivery', { delivery: items[0]?.id })
    expect([isError, text]).toEqual([false, expect.stringContaining('being attempted')])
    await untilFailed()
  })

  test('replays only what was counted before', async () => {
    const replay = { subscription: failing.id, status: ['failed'] }
    const counted = await assistant.use('replay_subscription', replay)
    expect(counted.data).toEqual({ started: false, count: 1, countIsMinimum: false })
    const guessed = await assistant.use('replay_subscription', { ...replay, confirmCount: 2 })
    expect([guessed.data['started'], guessed.text]).toEqual([false, expect.stringContaining('not 2')])
    const begun = await assistant.use('replay_subscription', { ...replay, confirmCount: 1 })
    expect(begun.data['started']).toBe(true)
    const { id } = begun.data['replay'] as { id: string }
    expect((await assistant.use('get_replay', { replay: id })).data).toMatchObject({ id })
  })

  test('is told what is wrong with a signature', async () => {
    const body = '{"id":"evt_1","event":"a","data":{}}'
    const headers = await sign({ body, secret: 'your-webhook-secret-key' })
    const asked = { headers, body: `${body} `, secret: 'your-webhook-secret-key' }
    const { data, text } = await assistant.use('diagnose_signature', asked)
    expect(data).toMatchObject({ verified: false, failed: 'signature' })
    expect(text.length).toBeGreaterThan(20)
  })

  test('is told what it has got wrong', async () => {
    const missing = await assistant.use('explain_delivery')
    expect([missing.isError, missing.text]).toEqual([true, expect.stringContaining('event: ')])
    const wrong = await assistant.use('search_events', { event: 'a..b' })
    expect([wrong.isError, wrong.text]).toEqual([true, expect.stringContaining('event')])
    for (const event of ['..', '\ud800']) {
      const gone = await assistant.use('explain_delivery', { event })
      expect([gone.isError, gone.text]).toEqual([true, expect.stringContaining('invalid_request')])
    }
    await expect(assistant.client.callTool({ name: 'drop_table', arguments: {} })).rejects.toThrow(
      /search_events/,
    )
  })
})

describe('nothing is done or shown', () => {
  test('without a valid key', async () => {
    await expect(Assistant.connect('phk_000000000000_wrong')).rejects.toThrow()
    const { status } = await post(
      { jsonrpc: '2.0', id: 1, method: 'tools/list' },
      { Authorization: 'Bearer x' },
    )
    expect(status).toBe(401)
  })

  test('beyond the scopes of the key: the refusal names the one that is needed', async () => {
    const viewer = await assistantWith('events:read', 'deliveries:read', 'webhooks:read')
    expect((await viewer.use('explain_delivery', { event: 'order-7' })).isError).toBe(false)
    const { items } = await posthorn.subscriptions.log(failing.id).page()
    for (const [name, args] of [
      ['retry_delivery', { delivery: items[0]?.id }],
      ['replay_subscription', { subscription: failing.id }],
    ] as const) {
      const { isError, text } = await viewer.use(name, args)
      expect([isError, text]).toEqual([true, expect.stringContaining('deliveries:retry')])
    }
    const publisher = await assistantWith('events:publish')
    const { text } = await publisher.use('search_events', {})
    expect(text).toContain('"events:read"')
  })

  test('of another workspace', async () => {
    const other = await Assistant.connect(relay.adminKey, 'assistants-of-others')
    for (const [name, args] of [
      ['explain_delivery', { event: 'order-7' }],
      ['preview_subscription', { subscription: failing.id }],
      ['replay_subscription', { subscription: failing.id }],
    ] as const) {
      const { isError, text } = await other.use(name, args)
      expect([isError, text]).toEqual([true, expect.stringContaining('not_found')])
    }
    expect((await other.use('search_events', { q: 'marple' })).data['events']).toEqual([])
  })

  test('beyond what a customer of the workspace may see', async () => {
    const { token } = await posthorn.call('post', '/api/v1/portal-tokens', {
      body: {
        scopes: ['events:read', 'deliveries:read', 'webhooks:read'],
        webhooks: { metadata: { customerId: '42' } },
      } as never,
    })
    const customer = await Assistant.connect(token)
    expect((await customer.use('list_subscriptions')).text).toBe('No subscriptions.')
    expect((await customer.use('search_events', { q: 'marple' })).data['events']).toEqual([])
    expect((await customer.use('explain_delivery', { event: 'order-7' })).isError).toBe(true)
  })

  test('for a page of another origin, in a revision that is not spoken, or for what is no message', async () => {
    const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' }
    expect((await post(list, { Origin: 'https://evil.example' })).status).toBe(403)
    expect((await post(list, { Origin: relay.url })).status).toBe(200)
    expect((await post(list, { 'MCP-Protocol-Version': '1999-01-01' })).status).toBe(400)
    expect((await post([list])).text).toContain('-32600')
    expect((await post({ ...list, method: 'tools/drop' })).text).toContain('-32601')
    expect((await post({ jsonrpc: '2.0', method: 'notifications/initialized' })).status).toBe(202)
    const got = await fetch(`${relay.url}/mcp`, { headers: { Authorization: `Bearer ${relay.adminKey}` } })
    expect([got.status, got.headers.get('allow')]).toEqual([405, 'POST'])
  })
})

async function post(message: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${relay.url}/mcp`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${relay.adminKey}`, 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(message),
  })
  return { status: response.status, text: await response.text() }
}
