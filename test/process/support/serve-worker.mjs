/** Serves an example Worker on loopback, with bindings that keep to the file INBOX: `node serve-worker.mjs <file>`. */
import { appendFileSync } from 'node:fs'
import { createServer } from 'node:http'
import path from 'node:path'
import process from 'node:process'
import { buffer } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'

const { default: worker } = await import(pathToFileURL(path.resolve(process.argv[2] ?? '')).href)
const { SECRET, INBOX, PORT } = process.env
const handled = new Map()
const env = {
  SECRET,
  HANDLED: {
    get: async (id) => handled.get(id) ?? null,
    put: async (id, value) => void handled.set(id, value),
  },
  INBOX: { send: async ({ event, id }) => appendFileSync(INBOX, `Received ${event} ${id}\n`) },
}

const server = createServer((incoming, outgoing) => {
  answer(incoming, outgoing).catch((error) => {
    process.stderr.write(`${error?.stack}\n`)
    outgoing.destroy()
  })
})

async function answer(incoming, outgoing) {
  const headers = new Headers()
  for (let i = 0; i < incoming.rawHeaders.length; i += 2) {
    headers.append(incoming.rawHeaders[i], incoming.rawHeaders[i + 1])
  }
  const url = new URL(incoming.url, `http://${incoming.headers.host}`)
  const body = await buffer(incoming)
  const response = await worker.fetch(new Request(url, { method: incoming.method, headers, body }), env)
  outgoing.writeHead(response.status).end(Buffer.from(await response.arrayBuffer()))
}

server.listen(Number(PORT), '127.0.0.1', () => {
  process.stdout.write(`Listening on http://127.0.0.1:${server.address().port}\n`)
})
