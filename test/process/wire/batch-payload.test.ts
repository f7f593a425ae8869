import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import vm from 'node:vm'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { librarySecret } from '../../../scripts/demo/signatures.ts'
import { sharedRelay } from '../../support/process/shared-relay.ts'
import { type Received, Receiver } from '../../support/receivers/receiver.ts'
import { RelayApi } from '../support/relay-api.ts'
import { expectShape, type JsonObject } from '../support/seed-002-shapes.ts'

const EXAMPLES = path.resolve(import.meta.dirname, '../../../examples')

/** Seed 002, "Webhook Event Batching", word for word. */
const SUBSCRIPTION = `{
  "url": "https://your-app.com/webhooks/batch",
  "events": ["invoice.created", "payment.received"],
  "batchSettings": {
    "enabled": true,
    "maxEvents": 100,
    "maxWaitTime": 30,
    "flushOnEvent": ["invoice.paid"]
  }
}`
const PAYLOAD = {
  batch: true,
  events: [
    { id: 'evt_001', event: 'invoice.created', timestamp: '2024-01-15T10:30:00Z', data: {} },
    { id: 'evt_002', event: 'payment.received', timestamp: '2024-01-15T10:31:00Z', data: {} },
  ],
  batchId: 'batch_123456789',
  batchTimestamp: '2024-01-15T10:31:30Z',
}

let receiver: Receiver

beforeAll(async () => {
  receiver = await Receiver.start()
})

afterAll(() => receiver?.close())

test("seed 002's batch subscription gets seed 002's batch payload, which its receivers believe", async () => {
  const api = new RelayApi(await sharedRelay(), 'batch')
  const settings = SUBSCRIPTION.replace('https://your-app.com/webhooks/batch', receiver.url('/batch'))
  const { data } = await api.call<{ id: string; secret: string; batchSettings: object }>(
    'POST',
    '/webhooks/subscribe',
    settings,
  )
  expect(data.batchSettings).toMatchObject(JSON.parse(SUBSCRIPTION).batchSettings)

  const published: string[] = []
  for (const name of ['002-invoice.created', '002-payment.received'])
    published.push(await api.publish(readFileSync(path.join(EXAMPLES, `events/${name}.json`), 'utf8')))
  await api.publish(readFileSync(path.join(EXAMPLES, 'events/002-invoice.paid.json'), 'utf8'))
  // Half of what it would have waited for without the flush.
  expect(await receiver.waitForDelivered('/batch', 1, 15_000)).toBe(true)

  expect(receiver.requests('/batch')).toHaveLength(1)
  const batch = firstBatch()
  const payload = JSON.parse(String(batch.body)) as JsonObject
  expectShape(payload, PAYLOAD)
  expect((payload['events'] as JsonObject[]).map(({ id }) => id)).toEqual(published)
  expect(payload['batchId']).toBe(batch.id)
  expectBelieved(batch, data.secret)

  await api.log(data.id, (rows) => rows.every(({ status }) => status === 'success'))
  const log = await api.call<{ eventId: string; batchId: string }[]>('GET', `/webhooks/${data.id}/logs`)
  expect(log.data.map(({ eventId, batchId }) => [eventId, batchId])).toEqual(
    published.toReversed().map((id) => [id, batch.id]),
  )
})

function firstBatch(): Received {
  const [batch] = receiver.requests('/batch')
  if (batch === undefined) throw new Error('there is no batch')
  return batch
}

/** By the Standard Webhooks library and by seed 002's own Node function, and no longer with one byte changed. */
function expectBelieved({ body, headers }: Received, secret: string): void {
  const changed = Buffer.from(String(body).replace('"batch":true', '"batch":trux'))
  const library = new Webhook(librarySecret(secret))
  expect(library.verify(body, headers)).toEqual(JSON.parse(String(body)))
  expect(() => library.verify(changed, headers)).toThrow('No matching signature found')
  const script = readFileSync(path.join(EXAMPLES, 'verify/seed-002.js'), 'utf8')
  const [source] = /^const crypto = .*?^}$/ms.exec(script) ?? []
  const load = vm.compileFunction(`${source}\nreturn verifyWebhookSignature`, ['require'])
  const verify = load(createRequire(import.meta.url)) as (...args: [Buffer, string, string]) => boolean
  expect(verify(body, headers['x-signature'] ?? '', secret)).toBe(true)
  expect(verify(changed, headers['x-signature'] ?? '', secret)).toBe(false)
}
