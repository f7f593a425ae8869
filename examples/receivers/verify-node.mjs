// A receiver with node:http and posthorn/verify. With Express it is the same: the body by express.raw() (docs/verify.md).
//   SECRET=… PORT=3000 node examples/receivers/verify-node.mjs
// While the secret is being changed, OLD_SECRET may be the one before.
import { createServer } from 'node:http'
import { verify } from 'posthorn/verify'

const { SECRET, OLD_SECRET, PORT = '3000' } = process.env
if (!SECRET) throw new Error('Set SECRET to the secret of your subscription.')

const secret = OLD_SECRET ? [SECRET, OLD_SECRET] : SECRET
const BODY_BYTES_MAX = 11_000_000
/** Ids already handled. In earnest: a unique column in your database, written together with your work. */
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
  const { event, id } = result
  if (!handled.has(id)) {
    handled.add(id)
    process.stdout.write(`Received ${event?.event} ${id}\n`)
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
