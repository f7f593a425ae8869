import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type SharedRelay, sharedRelay } from '../../support/process/shared-relay.ts'
import { Receiver } from '../../support/receivers/receiver.ts'
import {
  CURLS,
  expectShape,
  FAILED_ROW,
  type JsonObject,
  STATISTICS,
  SUBSCRIPTION,
  SUCCESS_ROW,
} from '../support/seed-002-shapes.ts'

const SCRIPT = path.resolve(import.meta.dirname, '../../../examples/seed-002.sh')
const EVENTS = path.resolve(import.meta.dirname, '../../../examples/events')

let relay: SharedRelay
let receiver: Receiver

beforeAll(async () => {
  receiver = await Receiver.start()
  relay = await sharedRelay()
})

afterAll(() => receiver?.close())

describe('examples/seed-002.sh', () => {
  let answers: Answers

  beforeAll(async () => {
    receiver.script('/seed', { status: 200, body: 'Event processed successfully' })
    answers = await runScript(receiver.url('/seed'))
  })

  test('keeps the curl lines of the seed', () => {
    const script = readFileSync(SCRIPT, 'utf8')
      .replaceAll('$RELAY', 'https://api.bigledger.com')
      .replaceAll('$KEY', 'YOUR_API_KEY')
      .replaceAll('$COMPANY', 'YOUR_COMPANY_ID')
    for (const curl of CURLS) expect(script).toContain(curl)
  })

  test('subscribes as in the seed', () => {
    const created = data(answers.of('Create a subscription'))
    expectShape(created, { ...SUBSCRIPTION, description: null })
    expect(created).toMatchObject({
      url: SUBSCRIPTION.url,
      events: SUBSCRIPTION.events,
      secret: SUBSCRIPTION.secret,
      active: true,
      statistics: { totalDelivered: 0, totalFailed: 0, lastDelivery: null },
    })
    const full = data(answers.of('Subscribe a receiver'))
    expectShape(full, SUBSCRIPTION)
    expect(full).toMatchObject({
      secret: 'your-webhook-secret-key',
      description: SUBSCRIPTION.description,
      retryPolicy: { maxRetries: 3, retryDelay: 5, backoffMultiplier: 2 },
    })
  })

  test('generates a secret where none is given', () => {
    const { secret } = data(answers.of('Subscribe a tunnel'))
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
  })

  test('lists the subscription, its secret masked', () => {
    const list = answers.of('List the subscriptions')
    expect(list).toMatchObject({ success: true, pagination: { nextCursor: null } })
    const [listed, ...others] = list['data'] as JsonObject[]
    expect(others).toEqual([])
    expectShape(listed, { ...SUBSCRIPTION, description: null })
    const created = data(answers.of('Create a subscription'))
    const { warnings, ...shown } = created
    expect(warnings).toEqual([{ path: 'secret', message: expect.stringContaining('can be guessed') }])
    const lastDay = expect.objectContaining({ delivered: 0, failed: 0, hours: expect.any(Array) })
    expect(listed).toEqual({ ...shown, secret: expect.any(String), lastDay })
    expect(JSON.stringify(list)).not.toContain('your-secret-key')
  })

  test('updates what is named and leaves the rest', () => {
    const created = data(answers.of('Create a subscription'))
    const updated = data(answers.of('Update it'))
    expect(updated).toMatchObject({
      id: created['id'],
      url: SUBSCRIPTION.url,
      events: ['invoice.created', 'invoice.paid', 'customer.created'],
      active: true,
      createdAt: created['createdAt'],
    })
  })

  test('delivers the test event and says what the receiver answered', () => {
    const tested = data(answers.of('Send it a test event'))
    expect(tested).toMatchObject({
      success: true,
      event: 'invoice.created',
      statusCode: 200,
      responseBody: 'Event processed successfully',
    })
    const [request] = receiver.byId('/seed').get(String(tested['eventId'])) ?? []
    expect(JSON.parse(String(request?.body))).toMatchObject({
      id: tested['eventId'],
      event: 'invoice.created',
      data: { object: { invoiceId: 'inv_test_123', customerId: 'cust_test_456' } },
    })
  })

  test('delivers the published events and counts them, not the test', () => {
    expect([...receiver.byId('/seed').keys()]).toEqual(
      expect.arrayContaining(['evt_001', 'evt_987654321', 'evt_002']),
    )
    const statistics = data(answers.of('Its statistics'))
    expectShape(statistics, STATISTICS)
    expect(statistics).toMatchObject({ totalDelivered: 3, totalFailed: 0, successRate: 100 })
    const recent = statistics['recentDeliveries'] as JsonObject[]
    expect(recent.map(({ eventId }) => eventId)).toEqual(
      expect.arrayContaining(['evt_002', 'evt_987654321', 'evt_001']),
    )
  })

  test('logs each delivery, newest accepted first', () => {
    const rows = answers.of('Its logs')['data'] as JsonObject[]
    for (const row of rows) expectShape(row, SUCCESS_ROW)
    const testId = data(answers.of('Send it a test event'))['eventId']
    expect(rows.map(({ eventId }) => eventId)).toEqual(['evt_002', 'evt_987654321', 'evt_001', testId])
    expect(rows[1]).toMatchObject({ ...fixed(SUCCESS_ROW), nextRetryAt: null })
  })

  test.each([
    ['event=invoice.paid', ['evt_987654321']],
    ['status=failed', []],
    ['status=pending', []],
    ['dateTo=2024-01-31', []],
    ['limit=2', ['evt_002', 'evt_987654321']],
    ['event=invoice.paid&', ['evt_987654321']],
  ])('filters the logs by %s', (query, expected) => {
    const title = query.endsWith('&') ? query : `${query}\n`
    const rows = answers.of(`Its logs, filtered: ${title}`)['data'] as JsonObject[]
    expect(rows.map(({ eventId }) => eventId)).toEqual(expected)
  })

  test.each(['status=success', 'dateFrom='])('keeps everything under %s', (query) => {
    const rows = answers.of(`Its logs, filtered: ${query}`)['data'] as JsonObject[]
    expect(rows).toHaveLength(4)
  })
})

test('a failing delivery is logged as in the seed, with its next retry, and counted once it has failed for good', async () => {
  receiver.script('/failing', { status: 500, body: 'Internal server error' })
  const retryPolicy = { maxRetries: 3, retryDelay: 1, backoffMultiplier: 2 }
  const subscription = { url: receiver.url('/failing'), events: ['payment.received'], retryPolicy }
  const { id } = data(await call('POST', '/webhooks/subscribe', JSON.stringify(subscription)))
  await call('POST', '/events', readFileSync(path.join(EVENTS, '002-payment.received.json'), 'utf8'))

  const logs = `/webhooks/${id}/logs?status=failed`
  const row = await poll(logs, (answer) =>
    (answer['data'] as JsonObject[]).find((r) => r['retryCount'] === 2),
  )
  expectShape(row, FAILED_ROW)
  expect(row).toMatchObject({ ...fixed(FAILED_ROW), eventId: 'evt_002' })
  const waitMs = Date.parse(String(row['nextRetryAt'])) - Date.parse(String(row['deliveredAt']))
  expect(waitMs).toBeGreaterThan(3_000)
  expect(waitMs).toBeLessThan(6_000)

  const final = await poll(logs, (answer) =>
    (answer['data'] as JsonObject[]).find((r) => r['retryCount'] === 3),
  )
  expect(final).toMatchObject({ status: 'failed', nextRetryAt: null })
  const statistics = await poll(`/webhooks/${id}/statistics`, (answer) =>
    data(answer)['totalFailed'] === 1 ? data(answer) : undefined,
  )
  expect(statistics).toMatchObject({ totalDelivered: 0, totalFailed: 1, successRate: 0 })
})

/** The script's answers by the beginning of their titles (a line end closes the title). */
class Answers {
  readonly #output: string

  constructor(output: string) {
    this.#output = output
  }

  of(title: string): JsonObject {
    const [, after] = this.#output.split(`\n# ${title}`)
    const answer = after?.split('\n').find((line) => line.startsWith('{'))
    if (answer === undefined) throw new Error(`There is no answer under "${title}":\n${this.#output}`)
    return JSON.parse(answer) as JsonObject
  }
}

async function runScript(receiverUrl: string): Promise<Answers> {
  const env = {
    ...process.env,
    RELAY: relay.url,
    KEY: relay.adminKey,
    COMPANY: 'seed-002',
    RECEIVER: receiverUrl,
  }
  const { stdout } = await promisify(execFile)(SCRIPT, { env, timeout: 50_000 })
  return new Answers(stdout)
}

async function call(method: string, route: string, body?: string): Promise<JsonObject> {
  const headers = {
    Authorization: `Bearer ${relay.adminKey}`,
    'X-Company-Id': 'failing',
    ...(body !== undefined && { 'Content-Type': 'application/json' }),
  }
  const response = await fetch(`${relay.url}/api/v1${route}`, {
    method,
    headers,
    ...(body !== undefined && { body }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${route} was answered with ${response.status}: ${text}`)
  return JSON.parse(text) as JsonObject
}

async function poll(
  route: string,
  find: (answer: JsonObject) => JsonObject | undefined,
): Promise<JsonObject> {
  const deadline = Date.now() + 20_000
  for (;;) {
    const answer = await call('GET', route)
    const found = find(answer)
    if (found !== undefined) return found
    if (Date.now() > deadline) throw new Error(`GET ${route} still answers ${JSON.stringify(answer)}`)
    await sleep(100)
  }
}

function data(answer: JsonObject): JsonObject {
  expect(answer['success']).toBe(true)
  return answer['data'] as JsonObject
}

/** The fields of a log row that do not depend on the run. */
function fixed(row: JsonObject): JsonObject {
  const {
    id: _id,
    eventId: _eventId,
    deliveredAt: _at,
    responseTime: _time,
    nextRetryAt: _next,
    ...rest
  } = row
  return rest
}
