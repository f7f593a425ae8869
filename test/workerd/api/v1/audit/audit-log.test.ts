import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { verifyChain } from '../../../../../src/audit/verify.ts'
import { type Entry, logOf } from '../../../../support/audit/log-of.ts'
import { ADMIN_KEY, appWith, Client, expectRefusal } from '../../../../support/process/http-client.ts'
import { makeKey } from '../../../../support/process/keys.ts'
import { freshStore } from '../../../../support/rig/builders.ts'
import { watchD1 } from '../../../../support/rig/d1-watch.ts'

beforeEach(freshStore)

const actions = (entries: Entry[]) => entries.map(({ action, outcome }) => `${action} ${outcome}`)

const isIntact = async (chain: string) =>
  (await verifyChain(env.DB, chain, { belowNo: null, noted: null })).found === null

describe('a change has a row', () => {
  test('that says who, from where, what and how it ended', async () => {
    const client = new Client()
    const headers = { 'CF-Connecting-IP': '192.0.2.7', 'User-Agent': 'curl/8.5.0' }
    const { id } = await client.subscribe()
    const json = { active: false, secret: 'another-secret-of-acme', headers: { 'X-Api-Key': 'the-api-key' } }
    const patched = await client.call('PATCH', `/webhooks/${id}`, { json, headers })
    const [, row] = await logOf(client)
    expect(row).toMatchObject({
      no: 2,
      actor: 'operator',
      address: '192.0.2.7',
      userAgent: 'curl/8.5.0',
      action: 'patchSubscription',
      route: 'PATCH /webhooks/{id}',
      object: `webhooks/${id}`,
      fields: { active: false, secret: '********', headers: '********' },
      requestId: patched.headers.get('x-request-id'),
      outcome: 'done',
      code: null,
    })
  })

  test('with the fields that it has changed, and not those that it has set to what they were', async () => {
    const client = new Client()
    const metadata = { a: '1', b: '2' }
    const { id } = await client.subscribe({ name: 'billing', metadata, headers: { 'X-A': 'a' } })
    const key = await makeKey(client, { name: 'billing', role: 'viewer' })
    const settings = { name: 'billing', metadata: { b: '2', a: '1' }, events: ['a.*'], active: true }
    await client.call('PATCH', `/webhooks/${id}`, { json: settings })
    await client.call('PUT', `/webhooks/${id}`, { json: { name: 'sales', headers: { 'X-A': 'a' } } })
    await client.call('PATCH', `/keys/${key.id}`, { json: { name: 'billing', allowedIps: ['192.0.2.0/24'] } })
    await client.call('PATCH', `/keys/${key.id}`, { json: { role: 'viewer', limits: { eventsPerDay: 5 } } })
    for (const retentionDays of [30, 30])
      await client.call('PUT', `/workspaces/${client.workspace}`, { json: { retentionDays, livemode: true } })
    const log = await logOf(client)
    expect(log.slice(2).map(({ fields }) => fields)).toEqual([
      { events: ['a.*'] },
      // Headers are sealed, and so count as changed.
      { name: 'sales', headers: '********' },
      { allowedIps: ['192.0.2.0/24'] },
      { limits: expect.objectContaining({ eventsPerDay: 5 }) },
      { retentionDays: 30 },
      {},
    ])
  })

  test('whatever it changes, and in the log of its workspace', async () => {
    const [client, other] = [new Client(), new Client()]
    const { id } = await client.subscribe()
    await other.subscribe()
    for (const call of ['pause', 'resume', 'disable', 'enable', 'rotate-secret', 'test'])
      expect((await client.post(`/webhooks/${id}/${call}`)).success, call).toBe(true)
    await client.call('PUT', '/event-types/a.b', { json: { description: 'the-description' } })
    await client.call('PUT', `/workspaces/${client.workspace}`, { json: { retentionDays: 30 } })
    const { id: eventId } = await client.publish({ event: 'a.b', data: {} })
    await client.post(`/events/${eventId}/cancel`)
    await client.call('DELETE', `/events/${eventId}`)
    await client.call('DELETE', `/webhooks/${id}`)
    const log = await logOf(client)
    expect(log.map(({ route }) => route)).toEqual([
      'POST /webhooks/subscribe',
      ...['pause', 'resume', 'disable', 'enable', 'rotate-secret', 'test'].map(
        (verb) => `POST /webhooks/{id}/${verb}`,
      ),
      'PUT /event-types/{name}',
      'PUT /workspaces/{id}',
      'POST /events/{id}/cancel',
      'DELETE /events/{id}',
      'DELETE /webhooks/{id}',
    ])
    expect(log[0]).toMatchObject({ object: `webhooks/${id}`, fields: { events: ['*'] } })
    expect(log.find(({ action }) => action === 'updateWorkspace')?.fields).toEqual({ retentionDays: 30 })
    expect(actions(await logOf(other))).toEqual(['createSubscription done'])
    expect(await isIntact(client.workspace)).toBe(true)
  })

  test('that holds no secret', async () => {
    const client = new Client()
    const secret = 'a-very-secret-thing'
    const { id } = await client.subscribe({
      secret,
      url: `https://a.example.com/?token=${secret}`,
      headers: { 'X-Api-Key': secret },
      auth: { type: 'bearer', token: secret },
      metadata: { note: secret },
    })
    await client.post(`/webhooks/${id}/rotate-secret`, { secret: `${secret}-2` })
    await client.post(`/webhooks/${id}/test`, { data: { note: secret } })
    const { results } = await env.DB.prepare('SELECT * FROM audit_entry').all()
    expect(results).toHaveLength(3)
    expect(JSON.stringify(results)).not.toContain(secret)
  })

  test('a repeated answer has one of its own: it shows the secret again', async () => {
    const client = new Client()
    const headers = { 'Idempotency-Key': 'once' }
    const json = { url: 'https://a.example.com/hooks', events: ['*'] }
    const first = await client.post('/webhooks/subscribe', json, { headers })
    await client.post('/webhooks/subscribe', json, { headers })
    const [made, again] = await logOf(client)
    expect([made?.outcome, again?.outcome]).toEqual(['done', 'repeated'])
    expect(again?.object).toBe(`webhooks/${String(first.data['id'])}`)
  })
})

test('a revealed secret has a row, and reading has none, nor has publishing', async () => {
  const client = new Client()
  const { id } = await client.subscribe()
  await client.publish({ event: 'a.b', data: {} })
  await client.post('/dispatch', {
    url: 'https://a.example.com/',
    secret: 'the-dispatch-secret',
    event: 'a.b',
    data: {},
  })
  await client.post(`/webhooks/${id}/preview`, { event: 'a.b', data: {} })
  for (const path of ['/webhooks', `/webhooks/${id}`, '/events', '/status', '/audit-log'])
    await client.get(path)
  await client.get(`/webhooks/${id}/secret`)
  expect((await logOf(client)).map(({ action, object }) => [action, object])).toEqual([
    ['createSubscription', `webhooks/${id}`],
    ['getSecret', `webhooks/${id}`],
  ])
})

describe('a call whose row cannot be written', () => {
  const withoutAudit = () => {
    const db = watchD1(env.DB, async ({ sql }, run) => {
      if (sql.some((text) => text.includes('audit_entry'))) throw new Error('D1_ERROR: overloaded')
      return await run()
    })
    const logged: [string, unknown][] = []
    const target = appWith((relay) => ({
      env: { ...relay.env, DB: db },
      log: (event, fields) => void logged.push([event, fields]),
    }))
    return { target, logged }
  }

  test('is not answered with success, and says that it was done', async () => {
    const { target, logged } = withoutAudit()
    const client = new Client(undefined, { target })
    const answer = await client.post('/webhooks/subscribe', { url: 'https://a.example.com/', events: ['*'] })
    expectRefusal(answer, 503, 'unavailable')
    expect(answer.error.message).toContain('was done')
    expect(answer.text).not.toContain('whsec_')
    expect(logged).toContainEqual([
      'audit.failed',
      expect.objectContaining({ action: 'createSubscription', outcome: 'done' }),
    ])
  })

  test('shows no secret', async () => {
    const open = new Client()
    const { id } = await open.subscribe({ secret: 'the-secret-of-acme' })
    const answer = await new Client(open.workspace, { target: withoutAudit().target }).get(
      `/webhooks/${id}/secret`,
    )
    expectRefusal(answer, 503, 'unavailable')
    expect(answer.text).not.toContain('the-secret-of-acme')
  })

  test('is made once when it is sent again with its Idempotency-Key, and has its row then', async () => {
    const workspace = new Client().workspace
    const send = (target?: ReturnType<typeof appWith>) =>
      new Client(workspace, target && { target }).post(
        '/webhooks/subscribe',
        { url: 'https://a.example.com/', events: ['*'] },
        { headers: { 'Idempotency-Key': 'once' } },
      )
    expect((await send(withoutAudit().target)).status).toBe(503)
    const again = await send()
    expect(again.status, again.text).toBe(201)
    const client = new Client(workspace)
    expect((await client.get<unknown[]>('/webhooks')).data).toHaveLength(1)
    expect(actions(await logOf(client))).toEqual(['createSubscription done'])
  })
})

describe('the list', () => {
  async function filled(): Promise<{ client: Client; id: string }> {
    const client = new Client()
    const { id } = await client.subscribe()
    for (let n = 0; n < 6; n++) await client.post(`/webhooks/${id}/${n % 2 === 0 ? 'pause' : 'resume'}`)
    return { client, id }
  }

  test('is filtered by action, object, actor and time', async () => {
    const { client, id } = await filled()
    const count = async (query: string) => (await logOf(client, query)).length
    expect(await count('&action=pauseSubscription')).toBe(3)
    expect(await count(`&object=webhooks/${id}`)).toBe(7)
    expect(await count('&object=webhooks/other')).toBe(0)
    expect(await count('&actor=operator')).toBe(7)
    expect(await count('&actor=key:none')).toBe(0)
    expect(await count('&dateFrom=2020-01-01&dateTo=2021-01-01')).toBe(0)
    expect(await count('&dateFrom=2020-01-01')).toBe(7)
  })

  test('has pages, newest first', async () => {
    const { client } = await filled()
    const all = await client.all<Entry>('/audit-log', 3)
    expect(all.map(({ no }) => no)).toEqual([7, 6, 5, 4, 3, 2, 1])
    const paused = await client.all<Entry>('/audit-log?action=pauseSubscription', 2)
    expect(paused.map(({ no }) => no)).toEqual([6, 4, 2])
    const foreign = await client.get('/audit-log?cursor=nonsense')
    expectRefusal(foreign, 400, 'invalid_request')
  })

  test('is exported as NDJSON, as the list shows it', async () => {
    const { client } = await filled()
    const headers = {
      Authorization: `Bearer ${ADMIN_KEY}`,
      'X-Company-Id': client.workspace,
      Accept: 'application/x-ndjson',
    }
    const url = 'https://relay.example.com/api/v1/audit-log?action=pauseSubscription'
    const answer = await appWith(() => ({}))(new Request(url, { headers }))
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson')
    const text = await answer.text()
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Entry)
    expect(lines.toReversed()).toEqual(await logOf(client, '&action=pauseSubscription'))
  })

  test('shows one row with what its fields were before, as far as rows about the same say it', async () => {
    const client = new Client()
    const { id } = await client.subscribe({ name: 'billing' })
    await client.subscribe({ name: 'of another' })
    await client.call('PATCH', `/webhooks/${id}`, { json: { active: false } })
    await client.call('PATCH', `/webhooks/${id}`, { json: { name: 'ledger' } })
    await client.call('PATCH', `/webhooks/${id}`, { json: { name: 'sales', secret: 'a-secret-of-acme' } })
    const { data } = await client.get<Entry & { earlier: unknown }>('/audit-log/5')
    const [, , , , row] = await logOf(client)
    const { earlier, ...rest } = data
    expect(rest).toEqual(row)
    expect(earlier).toMatchObject({ name: { value: 'ledger', no: 4 } })
    expect((await client.get('/audit-log/4')).data).toMatchObject({
      earlier: { name: { value: 'billing', no: 1 } },
    })
    expect((await client.get('/audit-log/3')).data).toMatchObject({ no: 3, earlier: {} })
    for (const none of ['6', '0', 'x', '1e1'])
      expectRefusal(await client.get(`/audit-log/${none}`), 404, 'not_found')
    expectRefusal(await new Client().get('/audit-log/1'), 404, 'not_found')
  })

  test('is verified, and names the row that was touched', async () => {
    const { client } = await filled()
    const intact = await client.get<{ head: { no: number; hash: string } }>('/audit-log/verify')
    expect(intact.data).toMatchObject({ intact: true, break: null, checked: 7, head: { no: 7 }, oldest: 1 })
    await env.DB.prepare("UPDATE audit_entry SET actor = 'key:other' WHERE chain = ?1 AND no = 4")
      .bind(client.workspace)
      .run()
    const { data } = await client.get('/audit-log/verify')
    expect(data).toMatchObject({ intact: false, break: { kind: 'changed', no: 4 } })
    const noted = `${intact.data.head.no}.${'0'.repeat(64)}`
    expect((await client.get(`/audit-log/verify?noted=${noted}`)).data).toMatchObject({
      break: { kind: 'rewritten', no: 7 },
    })
  })
})
