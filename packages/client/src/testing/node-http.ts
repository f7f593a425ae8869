/** The part of Node's HTTP server that is used here; Deno and Bun have it too. */
type Incoming = AsyncIterable<Uint8Array> & {
  method?: string
  url?: string
  headers: Record<string, string | string[] | undefined>
}
type Outgoing = {
  writeHead(status: number, headers?: Record<string, string>): Outgoing
  end(body?: string): void
}
type Server = {
  listen(port: number, host: string, then: () => void): void
  address(): { port: number } | string | null
  close(then: () => void): void
  closeAllConnections(): void
  once(event: 'error', then: (error: Error) => void): void
}
type NodeHttp = { createServer(handle: (request: Incoming, response: Outgoing) => void): Server }

export type ReceivedRequest = {
  path: string
  headers: Record<string, string | string[] | undefined>
  body: Uint8Array
}
export type Answered = { status: number; body?: string; headers?: Record<string, string> }
export type LocalServer = { port: number; close(): Promise<void> }

/** Serves on loopback. */
export async function serveLocally(
  port: number,
  handle: (request: ReceivedRequest) => Promise<Answered>,
): Promise<LocalServer> {
  // By a name that bundlers do not follow: browsers have no such module, and need none for the fake.
  const name = 'node:http'
  const http = (await import(/* @vite-ignore */ name)) as NodeHttp
  const server = http.createServer((request, response) => {
    void answer(request, handle).then(({ status, body, headers }) =>
      response.writeHead(status, headers).end(body),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The receiver has no port')
  return { port: address.port, close: () => close(server) }
}

async function answer(
  request: Incoming,
  handle: (request: ReceivedRequest) => Promise<Answered>,
): Promise<Answered> {
  try {
    const chunks: Uint8Array[] = []
    for await (const chunk of request) chunks.push(chunk)
    return await handle({ path: request.url ?? '/', headers: request.headers, body: joined(chunks) })
  } catch (error) {
    return { status: 500, body: String(error) }
  }
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(resolve))
  server.closeAllConnections()
  await closed
}
