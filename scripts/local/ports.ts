import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import { RelayStartError } from './start-error.ts'

/** The only address a local relay listens on. */
export const HOST = '127.0.0.1'

/** Below the ports that systems give to outgoing connections: one of these is soon taken again. */
const FREE_PORTS = { from: 20_000, to: 32_000 } as const
const FREE_PORT_TRIES = 20

/** The port itself, or a free one for 0; workerd says little about a port in use, and says it late. */
export async function freePort(port: number): Promise<number> {
  for (let tries = 1; port === 0 && tries <= FREE_PORT_TRIES; tries++) {
    const candidate = randomInt(FREE_PORTS.from, FREE_PORTS.to)
    if ((await portProblem(candidate)) === null) return candidate
  }
  const problem = await portProblem(port)
  if (problem !== null) throw new RelayStartError(`Port ${port} ${problem}. Set PORT to another one.`)
  return port
}

/** Why a port cannot be listened on; null when it can. */
async function portProblem(port: number): Promise<string | null> {
  const { promise, resolve } = Promise.withResolvers<string | null>()
  const probe = createServer()
  probe.once('error', ({ code }: NodeJS.ErrnoException) => {
    resolve(code === 'EADDRINUSE' ? 'is taken' : `cannot be used (${code})`)
  })
  probe.listen(port, HOST, () => probe.close(() => resolve(null)))
  return await promise
}
