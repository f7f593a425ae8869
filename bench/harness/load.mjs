/**
 * The load driver: publishes N events to URL, waits until the receiver has counted N * SUBS of them, and
 * prints one JSON line.
 *
 * Environment:
 *   URL      where to publish
 *   N        events to publish
 *   B        events per request
 *   C        connections
 *   RATE     requests offered per second, whether or not earlier ones were answered; 0 = as fast as C allows
 *   SUBS     deliveries owed per event; 0 = do not wait for the receiver
 *   HEADERS  request headers, as JSON
 *   SINK     the receiver's origin
 *   WRAP     the key under which several events are sent; empty = a bare array
 *   CUSTOMERS  customers that the events are about, in turn (97)
 *   WAIT     seconds after which missing deliveries are given up
 */
import http from 'node:http'

const { URL: target = '', HEADERS = '{}', SINK = 'http://127.0.0.1:9099', WRAP = '' } = process.env
const number = (name, otherwise) => Number(process.env[name] ?? otherwise)
const total = number('N', 5000)
const perRequest = number('B', 1)
const connections = number('C', 16)
const rate = number('RATE', 0)
const customers = number('CUSTOMERS', 97)
const waitMs = number('WAIT', 120) * 1000
const wanted = total * number('SUBS', 1)

const url = new URL(target)
const agent = new http.Agent({ keepAlive: true, maxSockets: connections })
const headers = { 'content-type': 'application/json', ...JSON.parse(HEADERS) }
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const counted = async () => Number(await (await fetch(`${SINK}/n`)).text())

const latencies = []
let next = 0
let errors = 0

/** An invoice of the size and shape that the project's example payloads have: about 300 bytes. */
function sampleEvent(i) {
  const customer = { id: 'c1', tags: ['vip'] }
  const amounts = { total: 2567.5, amountPaid: 2567.5 }
  const names = { id: `inv_${i}`, invoiceNumber: `INV-2024-${i}`, customerId: `cust_${i % customers}` }
  return {
    event: 'invoice.paid',
    data: {
      object: { ...names, ...amounts, status: 'paid', customer },
      previous_attributes: { amountPaid: 0, status: 'sent' },
    },
  }
}

function nextBody() {
  const first = next
  next += perRequest
  if (perRequest === 1) return JSON.stringify(sampleEvent(first))
  const list = Array.from({ length: Math.min(perRequest, total - first) }, (_, k) => sampleEvent(first + k))
  return JSON.stringify(WRAP ? { [WRAP]: list } : list)
}

/** Counts a failed request; the first two are shown, the rest would only repeat them. */
function failed(reason) {
  errors++
  if (errors <= 2) console.error(String(reason))
}

/** Sends the next request. Resolves when it is answered or has failed, never rejects. */
function publish() {
  const body = nextBody()
  const offeredAt = performance.now()
  const options = {
    method: 'POST',
    agent,
    headers: { ...headers, 'content-length': Buffer.byteLength(body) },
  }
  return new Promise((done) => {
    const request = http.request(url, options, (answer) => {
      answer.resume()
      answer.on('error', () => {})
      answer.on('close', () => {
        if (!answer.complete) failed('answer cut short')
        else if (answer.statusCode >= 300) failed(`status ${answer.statusCode}`)
        latencies.push(performance.now() - offeredAt)
        done()
      })
    })
    request.on('error', (error) => {
      failed(error)
      done()
    })
    request.end(body)
  })
}

/** Open loop: a request is offered when it is due, however many are still unanswered. */
async function publishAtRate(startedAt) {
  const open = []
  for (let k = 0; next < total; k++) {
    const earlyMs = startedAt + (k * 1000) / rate - performance.now()
    if (earlyMs > 1) await pause(earlyMs)
    open.push(publish())
  }
  await Promise.all(open)
}

/** Closed loop: every connection publishes again as soon as it is answered. */
async function publishAtFullSpeed() {
  const connection = async () => {
    while (next < total) await publish()
  }
  await Promise.all(Array.from({ length: connections }, connection))
}

function percentile(q) {
  const at = Math.min(latencies.length - 1, Math.floor(latencies.length * q))
  return Number((latencies[at] ?? 0).toFixed(1))
}

const before = await counted()
const startedAt = performance.now()
await (rate ? publishAtRate(startedAt) : publishAtFullSpeed())
const publishMs = performance.now() - startedAt

let delivered = (await counted()) - before
while (delivered < wanted && performance.now() - startedAt < waitMs) {
  await pause(50)
  delivered = (await counted()) - before
}
const totalMs = performance.now() - startedAt
latencies.sort((x, y) => x - y)

const result = {
  publishPerS: Math.round((total / publishMs) * 1000),
  p50ms: percentile(0.5),
  p99ms: percentile(0.99),
  deliveredPerS: Math.round((delivered / totalMs) * 1000),
  delivered,
  want: wanted,
  errors,
}
console.log(JSON.stringify(result))
process.exit(0)
