// A receiver with nothing but Node: checks `webhook-signature` (Standard Webhooks), drops repetitions.
//   SECRET=… PORT=3000 node examples/receivers/node.mjs
import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'

const { SECRET, PORT = '3000' } = process.env
if (!SECRET) throw new Error('Set SECRET to the secret of your subscription.')

const key = SECRET.startsWith('whsec_') ? Buffer.from(SECRET.slice(6), 'base64') : Buffer.from(SECRET)
const TOLERANCE_SECONDS = 300
/** Ids already handled. In earnest: a unique column in your database, written together with your work. */
const handled = new Set()

function isGenuine(headers, body) {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures = '' } = headers
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) < TOLERANCE_SECONDS)) return false
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest()
  // While a secret is being rotated there are two, separated by a space.
  return signatures.split(' ').some((signature) => {
    const [version, base64 = ''] = signature.split(',')
    const received = Buffer.from(base64, 'base64')
    return version === 'v1' && received.length === expected.length && timingSafeEqual(received, expected)
  })
}

async function receive(request, response) {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  // The bytes as they came: parsed and printed again they would not match the signature.
  const body = Buffer.concat(chunks)
  if (!isGenuine(request.headers, body)) return response.writeHead(401).end('Invalid signature')
  const id = request.headers['webhook-id']
  if (!handled.has(id)) {
    handled.add(id)
    const payload = JSON.parse(body)
    // A subscription with `batchSettings` gets several events in one request.
    for (const event of payload.batch === true ? payload.events : [payload]) {
      process.stdout.write(`Received ${event.event} ${event.id}\n`)
    }
  }
  return response.end('Event processed successfully')
}

const server = createServer((request, response) => {
  receive(request, response).catch(() => response.destroy())
})
server.listen(Number(PORT), '127.0.0.1', () => {
  process.stdout.write(`Listening on http://127.0.0.1:${server.address().port}\n`)
})
