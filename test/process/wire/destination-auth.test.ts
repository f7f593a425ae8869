import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeProtectedHeader, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RelayProcess } from '../../support/process/relay-process.ts'
import { type Received, Receiver } from '../../support/receivers/receiver.ts'
import { TokenServer } from '../../support/receivers/token-server.ts'
import { arrivals } from '../support/arrivals.ts'
import { CREDENTIALS, GIVEN, JWT, maskedOf } from '../support/auth-settings.ts'
import { type LogRow, RelayApi } from '../support/relay-api.ts'

const SHORT_LIFE_SECONDS = 10

const stateDir = mkdtempSync(path.join(tmpdir(), 'posthorn-auth-'))
let relay: RelayProcess
let receiver: Receiver
let tokens: TokenServer
let shortLived: TokenServer
let api: RelayApi
/** When the token that expires soon was used first. */
let shortLifeSinceMs = 0

beforeAll(async () => {
  receiver = await Receiver.start()
  tokens = await TokenServer.start()
  shortLived = await TokenServer.start()
  shortLived.expiresInSeconds = SHORT_LIFE_SECONDS
  relay = await RelayProcess.start({ stateDir })
  api = new RelayApi(relay, 'auth')
  await subscribe('short', oauth(shortLived))
  await publish('short')
  await arrivals(receiver, '/short', 1)
  shortLifeSinceMs = Date.now()
})

afterAll(async () => {
  await relay?.stop()
  await receiver?.close()
  await tokens?.close()
  await shortLived?.close()
  rmSync(stateDir, { recursive: true, force: true })
})

describe('an access token of client credentials', () => {
  test('is fetched once for many deliveries, and travels as a Bearer token', async () => {
    tokens.reset()
    await subscribe('many', { ...oauth(tokens), scope: 'hooks:write', audience: 'crm' })
    await api.publish({ events: Array.from({ length: 200 }, (_, n) => ({ event: 'many', data: { n } })) })
    const requests = await arrivals(receiver, '/many', 200)
    expect(new Set(requests.map(authorization))).toEqual(new Set(['Bearer issued-token-1']))
    expect(tokens.requests.map(({ method, form }) => ({ method, ...form }))).toEqual([
      { method: 'POST', grant_type: 'client_credentials', scope: 'hooks:write', audience: 'crm' },
    ])
  })

  test('is renewed once when the receiver answers 401, within the same attempt', async () => {
    tokens.reset()
    receiver.script('/renewed', 401, 200)
    const id = await subscribe('renewed', oauth(tokens))
    await publish('renewed')
    const [first, second] = await arrivals(receiver, '/renewed', 2)
    expect([first, second].map(authorization)).toEqual(['Bearer issued-token-1', 'Bearer issued-token-2'])
    expect(second?.body.equals(first?.body ?? Buffer.alloc(0))).toBe(true)
    expect(second?.headers['webhook-signature']).toBe(first?.headers['webhook-signature'])
    expect(tokens.requests).toHaveLength(2)
    const [row] = await api.log(id, isDelivered)
    expect(row).toMatchObject({ retryCount: 0, attempts: [{ responseCode: 200, error: null }] })
    receiver.script('/renewed', 200)
    await publish('renewed')
    expect((await arrivals(receiver, '/renewed', 3)).map(authorization)[2]).toBe('Bearer issued-token-2')
    expect(tokens.requests).toHaveLength(2)
  })

  test('that is refused again makes a failed attempt like any other 401', async () => {
    tokens.reset()
    receiver.script('/refused', 401)
    const id = await subscribe('refused', oauth(tokens), { retryPolicy: { maxRetries: 0 } })
    await publish('refused')
    const [row] = await api.log(id, ([first]) => first?.status === 'failed')
    expect(row).toMatchObject({ attempts: [{ responseCode: 401, error: 'http_status' }] })
    expect(receiver.requests('/refused')).toHaveLength(2)
  })

  test('that cannot be had fails the attempt, says why, and the delivery is made once it can', async () => {
    const down = await TokenServer.start()
    const { port } = down
    const auth = oauth(down)
    await down.close()
    const id = await subscribe('down', auth, { retryPolicy: { schedule: [1, 6] } })
    await publish('down')
    const [failed] = await api.log(id, ([row]) => (row?.attempts.length ?? 0) >= 1)
    const explanation = expect.stringContaining(`the token endpoint 127.0.0.1:${port} could not be reached`)
    expect(failed).toMatchObject({ status: 'failed', error: 'auth', explanation })
    expect(failed).toMatchObject({ nextRetryAt: expect.any(String), responseCode: null, responseBody: null })
    expect(receiver.requests('/down')).toEqual([])
    await api.log(id, ([row]) => (row?.attempts.length ?? 0) >= 2)
    const back = await TokenServer.start(port)
    const [delivered] = await api.log(id, isDelivered)
    expect(delivered?.attempts.map(({ error }) => error)).toEqual(['auth', 'auth', null])
    expect((await arrivals(receiver, '/down', 1)).map(authorization)).toEqual(['Bearer issued-token-1'])
    expect(back.requests).toHaveLength(1)
    await back.close()
  })

  test('that its endpoint refuses fails the attempt with the code of the refusal', async () => {
    tokens.reset()
    const auth = { ...oauth(tokens), clientSecret: `not-${CREDENTIALS.clientSecret}` }
    const id = await subscribe('wrong', auth, { retryPolicy: { maxRetries: 0 } })
    await publish('wrong')
    const [row] = await api.log(id, ([first]) => first?.status === 'failed')
    expect(row).toMatchObject({ error: 'auth', explanation: expect.stringContaining('401 (invalid_client)') })
    expect(receiver.requests('/wrong')).toEqual([])
  })

  test('is replaced when its time is nearly over', async () => {
    expect(authorization(receiver.requests('/short')[0])).toBe('Bearer issued-token-1')
    await sleep(Math.max(0, shortLifeSinceMs + SHORT_LIFE_SECONDS * 1000 - Date.now()))
    await publish('short')
    expect((await arrivals(receiver, '/short', 2)).map(authorization)).toEqual([
      'Bearer issued-token-1',
      'Bearer issued-token-2',
    ])
    expect(shortLived.requests).toHaveLength(2)
  })
})

test.each([
  ['basic', 'authorization', `Basic ${btoa(`acme:${CREDENTIALS.password}`)}`],
  ['bearer', 'authorization', `Bearer ${CREDENTIALS.bearer}`],
  ['apiKey', 'x-api-key', CREDENTIALS.apiKey],
  ['oauth2', 'authorization', `Bearer ${CREDENTIALS.staticToken}`],
] as const)('the credential of "%s" arrives in its header', async (type, header, value) => {
  await subscribe(type, GIVEN[type], { headers: { 'X-Team-Token': CREDENTIALS.header } })
  await publish(type)
  const [request] = await arrivals(receiver, `/${type}`, 1)
  expect(request?.headers).toMatchObject({ [header]: value, 'x-team-token': CREDENTIALS.header })
  expect(request?.headers['webhook-signature']).toMatch(/^v1,/)
})

test('a JWT arrives that jose believes, for as long as it says', async () => {
  await subscribe('jwt', JWT)
  await publish('jwt')
  const [request] = await arrivals(receiver, '/jwt', 1)
  const token = authorization(request).replace(/^Bearer /, '')
  const { issuer, audience, subject } = JWT
  const key = new TextEncoder().encode(CREDENTIALS.jwtKey)
  const { payload } = await jwtVerify(token, key, { algorithms: ['HS256'], issuer, audience, subject })
  expect(payload['plan']).toBe('gold')
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(60)
  expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'HS256', kid: 'key-7' })
  await expect(jwtVerify(token, new TextEncoder().encode('another key, which is long'))).rejects.toThrow()
})

describe('credentials are masked', () => {
  test('where a subscription is created, read, listed, changed, rotated, previewed, tested and dispatched', async () => {
    const at = {
      url: receiver.url('/masked'),
      events: ['masked'],
      headers: { 'X-Team-Token': CREDENTIALS.header },
    }
    tokens.reset()
    for (const auth of [...Object.values(GIVEN), JWT, oauth(tokens)]) {
      const { data } = await api.call<{ id: string; auth: object }>('POST', '/webhooks/subscribe', {
        ...at,
        auth,
      })
      const masked = maskedOf(auth)
      expect(data).toMatchObject({ auth: masked, headers: { 'X-Team-Token': '********' } })
      const whole = `/webhooks/${data.id}`
      // Seed 002's way to change one thing: what was read is sent back.
      const changed = await api.call('PUT', whole, { description: 'renamed', auth: data.auth })
      expect(changed.data).toMatchObject({ auth: masked, description: 'renamed' })
      expect((await api.call('GET', whole)).data).toMatchObject({ auth: masked })
      expect((await api.call('POST', `${whole}/rotate-secret`)).data).toMatchObject({ auth: masked })
      const previewed = await api.call<Previewed>('POST', `${whole}/preview`, { event: 'masked', data: {} })
      expect(Object.values(previewed.data.request.headers).join()).toContain('********')
      await api.call('POST', '/webhooks/preview', { subscription: { ...at, auth } })
      await api.call('POST', `${whole}/test`)
      const [row] = (await api.call<LogRow[]>('GET', `${whole}/logs`)).data
      await api.call('GET', `/deliveries/${row?.id}`)
      const secret = 'a-secret-for-dispatches'
      await api.call('POST', '/dispatch', {
        ...at,
        events: undefined,
        secret,
        auth,
        event: 'masked',
        data: {},
      })
    }
    await api.call('GET', '/events')
    const listed = await api.call<{ auth: object | null }[]>('GET', '/webhooks?limit=100')
    expect(listed.data.filter(({ auth }) => auth !== null).length).toBeGreaterThan(6)
  })

  test('in every answer and every log line of this relay', () => {
    expect(api.answers.length).toBeGreaterThan(80)
    for (const [name, value] of [...Object.entries(CREDENTIALS), ['tokens', 'issued-token-']] as const) {
      const forms = [value, encodeURIComponent(value), btoa(value), btoa(`acme:${value}`)]
      for (const form of forms) {
        expect(
          api.answers.filter(({ text }) => text.includes(form)),
          `${name} in an answer`,
        ).toEqual([])
        expect(relay.output.includes(form), `${name} in the log`).toBe(false)
      }
    }
    expect(relay.output).toContain('"event":"queue.consumed"')
  })

  test('in the place of no header that is not sent', async () => {
    const custom = { signature: { header: 'X-Auth-Signature' } }
    const { id } = await api.subscribe({
      ...{ url: receiver.url('/superseded'), events: ['superseded'], profile: 'custom', custom },
      ...{
        auth: GIVEN.apiKey,
        headers: { 'x-api-key': 'gives way', 'X-Team': 'crm' },
      },
    })
    const { data } = await api.call<Previewed>('POST', `/webhooks/${id}/preview`, {
      event: 'superseded',
      data: {},
    })
    expect(data.request.headers).toEqual({
      'Content-Type': 'application/json',
      'User-Agent': expect.stringMatching(/^Posthorn/),
      'X-API-Key': '********',
      'X-Auth-Signature': expect.stringMatching(/^[0-9a-f]{64}$/),
      'X-Team': 'crm',
      'webhook-attempt': '1',
      'webhook-event-type': 'superseded',
      'webhook-subscription-id': id,
    })
    await publish('superseded')
    const [request] = await arrivals(receiver, '/superseded', 1)
    expect(request?.headers).toMatchObject({ 'x-api-key': CREDENTIALS.apiKey, 'x-team': 'crm' })
    expect(request?.headers['x-auth-signature']).toMatch(/^[0-9a-f]{64}$/)
  })

  test('and stay in use after a change that sent the mask back', () => {
    const used = receiver.requests('/masked').map(({ headers }) => headers)
    expect(used.map((headers) => headers['authorization'] ?? headers['x-api-key'])).toEqual(
      expect.arrayContaining([
        `Basic ${btoa(`acme:${CREDENTIALS.password}`)}`,
        `Bearer ${CREDENTIALS.bearer}`,
        CREDENTIALS.apiKey,
        `Bearer ${CREDENTIALS.staticToken}`,
        'Bearer issued-token-1',
      ]),
    )
    expect(JSON.stringify(used)).not.toContain('****')
  })
})

type Previewed = { request: { headers: Record<string, string> } }

/** Client credentials that a token server takes. */
function oauth({ url, client }: TokenServer) {
  return { type: 'oauth2', tokenUrl: url, clientId: client.id, clientSecret: client.secret }
}

/** Subscribes a path to the event type of the same name and answers the subscription's id. */
async function subscribe(name: string, auth: object, settings: object = {}): Promise<string> {
  return (await api.subscribe({ url: receiver.url(`/${name}`), events: [name], auth, ...settings })).id
}

async function publish(name: string): Promise<void> {
  await api.publish({ event: name, data: { name } })
}

function authorization(request: Received | undefined): string {
  return request?.headers['authorization'] ?? ''
}

function isDelivered([row]: readonly LogRow[]): boolean {
  return row?.status === 'success'
}
