import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request as it came in; `body` is the bytes that were signed. Times are `performance.now()` and the clock's. */
export type ReceivedRequest = {
  path: string
  headers: IncomingHttpHeaders
  body: Buffer
  receivedAt: Date
  receivedAtMs: number
}

export type ReceiverAnswer = { status: number; body: string }

export type Receiver = {
  url: string
  requests: ReceivedRequest[]
  close: () => Promise<void>
}

/** A receiver on a free loopback port that keeps every request and answers what `answer` says. */
export async function startReceiver(answer: (request: ReceivedRequest) => ReceiverAnswer): Promise<Receiver> {
  const requests: ReceivedRequest[] = []
  const server = createServer((incoming, response) => {
    read(incoming).then(
      (request) => {
        requests.push(request)
        const { status, body } = answer(request)
        response.writeHead(status, { 'Content-Type': 'text/plain' }).end(body)
      },
      // A sender that leaves in the middle of its request gets no answer.
      () => response.destroy(),
    )
  })
  const listening = Promise.withResolvers<void>()
  server.once('error', listening.reject)
  server.listen(0, '127.0.0.1', listening.resolve)
  await listening.promise
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/webhooks`, requests, close: () => close(server) }
}

async function read(incoming: IncomingMessage): Promise<ReceivedRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  return {
    path: incoming.url ?? '/',
    headers: incoming.headers,
    body: Buffer.concat(chunks),
    receivedAt: new Date(),
    receivedAtMs: performance.now(),
  }
}

function close(server: ReturnType<typeof createServer>): Promise<void> {
  const closed = Promise.withResolvers<void>()
  server.close(() => closed.resolve())
  server.closeAllConnections()
  return closed.promise
}
