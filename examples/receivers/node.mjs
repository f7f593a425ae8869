// A receiver with nothing but Node: checks `webhook-signature` (Standard Webhooks), reads batches, drops repetitions.
//   SECRET=… PORT=3000 node examples/receivers/node.mjs
import { createHmac, timingSafeEqual } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { createServer } from 'node:http'

const { SECRET, PORT = '3000', INBOX } = process.env
if (!SECRET) throw new Error('Set SECRET to the secret of your subscription.')

const key = SECRET.startsWith('whsec_') ? Buffer.from(SECRET.slice(6), 'base64') : Buffer.from(SECRET)
const TOLERANCE_SECONDS = 300
const BODY_BYTES_MAX = 11_000_000
/** Ids of events whose work is done. In earnest: a unique column, written in the transaction of your work. */
const handled = new Set()

/** True for a request that was signed with the secret, within the last minutes. A header may hold anything. */
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

/** Does the work of every event that is not done yet. What fails is tried again with the next attempt. */
function handle(payload, deliveryId) {
  // A subscription with `batchSettings` gets several events in one request.
  const isBatch = payload.batch === true
  for (const event of isBatch ? payload.events : [payload]) {
    const id = isBatch ? event.id : deliveryId
    if (handled.has(id)) continue
    work(event)
    // Not before the work: an id kept by work that failed would make its repetition look done.
    handled.add(id)
  }
}

/** Your work: here a line on the terminal, or in the file INBOX. It throws when it could not be done. */
function work(event) {
  const line = `Received ${event.event} ${event.id}\n`
  if (INBOX) appendFileSync(INBOX, line)
  else process.stdout.write(line)
}

async function receive(request, response) {
  const body = await readBody(request)
  if (body === null) return response.writeHead(413, { Connection: 'close' }).end('Too large')
  if (!isGenuine(request.headers, body)) return response.writeHead(401).end('Invalid signature')
  try {
    handle(JSON.parse(body), request.headers['webhook-id'])
  } catch (error) {
    process.stderr.write(`Not done: ${error}\n`)
    return response.writeHead(500).end('Not done, try again')
  }
  return response.end('Event processed successfully')
}

/** The bytes as they came: parsed and printed again they would not match the signature. */
async function readBody(request) {
  const chunks = []
  let length = 0
  for await (const chunk of request) {
    length += chunk.length
    if (length > BODY_BYTES_MAX) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const server = createServer((request, response) => {
  receive(request, response).catch(() => response.destroy())
})
server.listen(Number(PORT), '127.0.0.1', () => {
  process.stdout.write(`Listening on http://127.0.0.1:${server.address().port}\n`)
})
