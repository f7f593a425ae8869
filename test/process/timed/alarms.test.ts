import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import vm from 'node:vm'
import { Webhook } from 'standardwebhooks'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { librarySecret } from '../../../scripts/demo/signatures.ts'
import { type Relay, startRelay } from '../../../scripts/local/relay.ts'
import { provePacing } from '../../../scripts/proof/pacing.ts'
import { inFolder } from '../../../scripts/proof/proof.ts'
import { RelayClient } from '../../support/process/relay-client.ts'
import { RelayProcess } from '../../support/process/relay-process.ts'
import { type Received, Receiver, waitUntil } from '../../support/receivers/receiver.ts'
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

let stateDir: string
let receiver: Receiver
let relay: RelayProcess | undefined
let restarted: Relay | undefined

beforeEach(async () => {
  stateDir = mkdtempSync(path.join(tmpdir(), 'posthorn-pacing-'))
  receiver = await Receiver.start()
})

afterEach(async () => {
  await relay?.kill9()
  await restarted?.stop()
  relay = restarted = undefined
  await receiver.close()
  rmSync(stateDir, { recursive: true, force: true })
})

test('each event goes in one batch, none is lost and order is kept over two kills under load', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  const result = await inFolder({ seed, progress: () => undefined }, (context) =>
    provePacing(context, { events: 1_000, kills: 2, drainMs: 25_000, watchMs: 2_000 }),
  )
  expect(result.violations, `seed ${seed}`).toEqual([])
})

test("seed 002's batch subscription gets seed 002's batch payload, which its receivers believe", async () => {
  relay = await RelayProcess.start({ stateDir })
  const api = new RelayApi(relay, 'batch')
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

test('a batch that waits when the relay is killed leaves by its alarm, at its time', async () => {
  const waitSeconds = 6
  const { acceptedMs } = await publishAndKill(waitSeconds, 'counted')
  restarted = await startRelay({ stateDir, sweeper: false, onLog: () => undefined })
  const startedMs = Date.now()
  expect(await receiver.waitForDelivered('/batch', 1, 15_000)).toBe(true)
  const { atMs } = firstBatch()
  expect(atMs).toBeGreaterThanOrEqual(acceptedMs + waitSeconds * 1_000)
  expect(atMs).toBeLessThan(Math.max(acceptedMs + waitSeconds * 1_000, startedMs) + 3_000)
})

test('a batch whose wait ends while the relay is down leaves when it is started, seen by its pacer or not', async () => {
  const waitSeconds = 1
  const { acceptedMs } = await publishAndKill(waitSeconds, 'accepted')
  await sleep(Math.max(0, acceptedMs + waitSeconds * 1_000 - Date.now()))
  expect(receiver.requests('/batch')).toEqual([])
  relay = await RelayProcess.start({ stateDir })
  expect(await receiver.waitForDelivered('/batch', 1, 5_000)).toBe(true)
  expect(JSON.parse(String(firstBatch().body)).events).toHaveLength(3)
})

/**
 * Publishes three events to a batched subscription and kills the relay: at once after the answer, or when the pacer has
 * been told of them. `acceptedMs` is at most when the first of them was accepted.
 */
async function publishAndKill(
  maxWaitTime: number,
  until: 'accepted' | 'counted',
): Promise<{ acceptedMs: number }> {
  relay = await RelayProcess.start({ stateDir })
  const client = new RelayClient(relay)
  const batchSettings = { enabled: true, maxEvents: 100, maxWaitTime }
  await client.subscribe({ url: receiver.url('/batch'), events: ['*'], batchSettings })
  const acceptedMs = Date.now()
  await client.publish(Array.from({ length: 3 }, (_, n) => ({ event: 'invoice.paid', data: { n } })))
  const running = relay
  const isCounted = () => running.output.includes('"queue.consumed","queue":"posthorn-paced"')
  if (until === 'counted') expect(await waitUntil(isCounted, 5_000)).toBe(true)
  await relay.kill9()
  return { acceptedMs }
}

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
