/**
 * Producers that push single events, or lists of them: prints one JSON line.
 *
 * Environment:
 *   URL, KEY   the relay
 *   N          events
 *   PRODUCERS  how many push at once
 *   WAIT       each: a producer awaits the result of its event before the next; room: it awaits room for the next only;
 *              list: it publishes a hundred at a time, without a publisher
 *   OPTIONS    of the publisher, as JSON
 */
import { Posthorn } from 'posthorn'

const { URL: url = '', KEY: key = '', WAIT = 'each', OPTIONS = '{}' } = process.env
const number = (name) => Number(process.env[name])
const total = number('N')
const LIST_EVENTS = 100
const posthorn = new Posthorn({ url, key })
const publisher = posthorn.publisher(JSON.parse(OPTIONS))

let next = 0
let errors = 0
const latencies = []

/** The event that load.mjs publishes. */
function sampleEvent(i) {
  const customer = { id: 'c1', tags: ['vip'] }
  const amounts = { total: 2567.5, amountPaid: 2567.5 }
  const names = { id: `inv_${i}`, invoiceNumber: `INV-2024-${i}`, customerId: `cust_${i % 97}` }
  return {
    event: 'invoice.paid',
    data: {
      object: { ...names, ...amounts, status: 'paid', customer },
      previous_attributes: { amountPaid: 0, status: 'sent' },
    },
  }
}

async function push(i) {
  const offeredAt = performance.now()
  try {
    await publisher.push(sampleEvent(i))
  } catch (error) {
    errors++
    if (errors <= 2) console.error(String(error))
  }
  latencies.push(performance.now() - offeredAt)
}

async function produce() {
  const open = []
  while (next < total) {
    const pushing = push(next++)
    if (WAIT === 'each') await pushing
    else {
      open.push(pushing)
      await publisher.ready()
    }
  }
  await Promise.all(open)
}

async function publishLists() {
  while (next < total) {
    const first = next
    next += LIST_EVENTS
    const events = Array.from({ length: Math.min(LIST_EVENTS, total - first) }, (_, i) =>
      sampleEvent(first + i),
    )
    const results = await posthorn.events.publishAll(events)
    errors += results.filter(({ status }) => status === 'rejected').length
  }
}

const work = WAIT === 'list' ? publishLists : produce
const startedAt = performance.now()
await Promise.all(Array.from({ length: number('PRODUCERS') }, work))
await publisher.close()
const publishMs = performance.now() - startedAt
latencies.sort((x, y) => x - y)
const p99ms = Number((latencies[Math.floor(latencies.length * 0.99)] ?? 0).toFixed(1))
console.log(JSON.stringify({ publishPerS: Math.round((total / publishMs) * 1000), p99ms, errors }))
process.exit(0)
