// A receiver with node:http and posthorn/verify. With Express it is the same: the body by express.raw() (docs/verify.md).
//   SECRET=… PORT=3000 node examples/receivers/verify-node.mjs
// While the secret is being changed, OLD_SECRET may be the one before.
import { appendFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { verify } from 'posthorn/verify'

const { SECRET, OLD_SECRET, PORT = '3000', INBOX } = process.env
if (!SECRET) throw new Error('Set SECRET to the secret of your subscription.')

const secret = OLD_SECRET ? [SECRET, OLD_SECRET] : SECRET
const BODY_BYTES_MAX = 11_000_000
/** Ids of events whose work is done. In earnest: a unique column, written in the transaction of your work. */
const handled = new Set()

async function receive(request, response) {
  const body = await readBody(request)
  if (body === null) return response.writeHead(413, { Connection: 'close' }).end('Too large')
  const result = await verify({ body, headers: request.headers, secret, profile: 'standard' })
  if (!result.ok) {
    // The reason is for this log; a stranger needs no help.
    process.stdout.write(`Refused: ${result.reason} (${result.message})\n`)
    return response.writeHead(401).end('Invalid signature')
  }
  if (result.event === undefined) return response.writeHead(400).end('Not JSON')
  try {
    handle(result)
  } catch (error) {
    process.stderr.write(`Not done: ${error}\n`)
    return response.writeHead(500).end('Not done, try again')
  }
  return response.end('Event processed successfully')
}

/** Does the work of every event that is not done yet. What fails is tried again with the next attempt. */
function handle({ events, id: deliveryId }) {
  // One event, or all of a batch. A batch is repeated as a whole, so each event goes by its own id.
  for (const event of events) {
    const id = event.id ?? deliveryId
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
