import assert from 'node:assert/strict'
import { createHmac, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import vm from 'node:vm'
import type { Check } from '../row.ts'
import type { Json, LogRow, Scene } from '../scene.ts'
import { type App, express, serve } from './express-app.ts'
import { SECRET } from './signatures.ts'

const SOURCE = readFileSync(path.join(import.meta.dirname, '../handlers/seed-002.js'), 'utf8')
const ROUTE = '/webhooks/bigledger'

/** The functions of the seed's own that its handlers call, each noted with what it was given. */
function noted(calls: [string, unknown][]): Record<string, (...args: unknown[]) => unknown> {
  const names = new Set([...SOURCE.matchAll(/await (\w+)\(/g)].map(([, name]) => name ?? ''))
  names.delete('processWebhookEvent')
  return Object.fromEntries(
    [...names].map((name) => [name, async (...args: unknown[]) => void calls.push([name, args[0]])]),
  )
}

type Handlers = Record<'handleOrderWebhooks' | 'handleFinancialWebhooks', (event: unknown) => Promise<void>>

/** Runs the seed's text, word for word, over an Express app and functions of its own. */
function run(globals: Record<string, unknown>): Handlers {
  const source = `${SOURCE}\nreturn { handleOrderWebhooks, handleFinancialWebhooks }`
  return vm.compileFunction(source, Object.keys(globals))(...Object.values(globals)) as Handlers
}

/** The seed's handler, whose store fails once for a moment: the retry is processed, a repetition is seen. */
export const handlesErrors: Check = async (scene) => {
  const calls: [string, unknown][] = []
  const stored = new Map<string, unknown>()
  let isDown = true
  const app = express()
  app.use(ROUTE, express.raw({ type: 'application/json' }))
  run({
    ...{ app, ...noted(calls), console: { log() {}, error() {} }, WEBHOOK_SECRET: SECRET },
    verifyWebhookSignature,
    getEventFromDatabase: async (id: string) => stored.get(id),
    storeEventInDatabase: async (event: { id: string }) => {
      if (isDown) {
        isDown = false
        throw Object.assign(new Error('the database is busy'), { type: 'temporary' })
      }
      stored.set(event.id, event)
    },
  })
  const row = await deliverTo(scene, app, { event: 'invoice.paid', data: { object: { id: 'inv_1' } } })
  assert.deepEqual([row.status, row['responseBody']], ['success', 'Event processed successfully'])
  assert.deepEqual(calls, [['handleInvoicePaid', { id: 'inv_1' }]])
  return '503 at first, processed once at the second attempt'
}

async function deliverTo(scene: Scene, app: App, event: object): Promise<LogRow> {
  const { port, stop } = await serve(app)
  try {
    const url = `http://127.0.0.1:${port}${ROUTE}`
    const { id } = await scene.subscribe({ url, secret: SECRET, retryPolicy: { schedule: [1] } })
    await scene.publish(event)
    return await scene.outcome(id, 2)
  } finally {
    await stop()
  }
}

function verifyWebhookSignature(payload: Buffer, signature: string, secret: string): boolean {
  const expected = createHmac('sha256', secret).update(payload).digest()
  return timingSafeEqual(expected, Buffer.from(signature.replace('sha256=', ''), 'hex'))
}

/** The seed's integrations do their work from the bodies of deliveries. */
export const integrates: Check = async (scene) => {
  const calls: [string, unknown][] = []
  const app = { post: () => undefined }
  const { handleOrderWebhooks, handleFinancialWebhooks } = run({ app, ...noted(calls), console })
  await scene.subscribe()
  const items = [{ sku: 'WDG-001' }]
  const events = [
    'sales_order.created',
    'invoice.paid',
    'bill.paid',
    'report.generated',
    'inventory.low_stock',
  ]
  await scene.publish({ events: events.map((event) => ({ event, data: { object: { event, items } } })) })
  for (let n = 1; n <= events.length; n++) {
    const event: unknown = JSON.parse(String((await scene.arrival(n)).body))
    await handleOrderWebhooks(event)
    await handleFinancialWebhooks(event)
  }
  const names = calls.map(([name]) => name)
  for (const name of [
    'notifyWarehouse',
    'releaseShipment',
    'createPurchaseOrder',
    'updateCashFlowForecast',
    'distributeFinancialReports',
  ]) {
    assert.ok(names.includes(name), `${name} of ${names}`)
  }
  const [, warehouse] = calls.find(([name]) => name === 'notifyWarehouse') ?? []
  assert.deepEqual((warehouse as Json)['items'], items)
  return `${calls.length} calls of the seed's functions`
}
