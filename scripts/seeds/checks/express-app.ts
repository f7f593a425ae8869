import { createServer, type RequestListener, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'

/** An Express app, as far as the seeds' routes use it: the package has no types. */
export type App = RequestListener & {
  use: (path: string, middleware: unknown) => void
  post: (path: string, ...handlers: unknown[]) => void
}

export const express = createRequire(import.meta.url)('express') as (() => App) & {
  raw: (options: { type: string }) => unknown
}

/** Serves an app on a free port of loopback; `stop` drops every connection. */
export async function serve(app: RequestListener): Promise<{ port: number; stop: () => Promise<void> }> {
  const server = createServer(app)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(0, '127.0.0.1', 4_096, resolve)
  await promise
  return { port: (server.address() as AddressInfo).port, stop: () => close(server) }
}

async function close(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  server.closeAllConnections()
  await promise
}
