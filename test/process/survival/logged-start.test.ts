import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, it } from 'vitest'
import { RelayProcess } from '../../support/process/relay-process.ts'

const stateDir = mkdtempSync(path.join(tmpdir(), 'posthorn-logged-'))
const relays: RelayProcess[] = []

afterAll(async () => {
  for (const relay of relays) await relay.kill9()
  rmSync(stateDir, { recursive: true, force: true })
})

it('serves however much it logs while it starts', async () => {
  const receiver = createServer((request, response) => request.resume().on('end', () => response.end()))
  receiver.listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  const first = await RelayProcess.start({ stateDir })
  relays.push(first)
  const subscription = { url: `http://127.0.0.1:${portOf(receiver)}/`, events: ['a.b'] }
  expect((await post(first, first.url, '/webhooks/subscribe', subscription)).status).toBe(201)
  await first.stop()

  const port = await freePort()
  // In words, so that this process reads a line for each publish and each delivery.
  const relay = RelayProcess.spawn({ stateDir, port, env: { LOG: '', LOG_LINES_PER_SECOND: '100000' } })
  relays.push(relay)
  const accepted = await publishWhileStarting(relay, `http://127.0.0.1:${port}`)
  receiver.closeAllConnections()
  receiver.close()
  expect(accepted).toBe(EVENTS_WHILE_STARTING)
  expect(relay.url).toContain(String(port))
  expect(relay.output).not.toContain('The sweep could not run')
  await relay.stop()
})

/** More events than the lines of their deliveries fit between two processes unread. */
const EVENTS_WHILE_STARTING = 4_000
const EVENTS_EACH = 200

/** Publishes from before anything listens until so many events were accepted; each publisher waits for its answers. */
async function publishWhileStarting(relay: RelayProcess, url: string): Promise<number> {
  const events = Array.from({ length: EVENTS_EACH }, () => ({ event: 'a.b', data: {} }))
  const deadlineMs = Date.now() + 40_000
  let accepted = 0
  const publisher = async () => {
    while (accepted < EVENTS_WHILE_STARTING && Date.now() < deadlineMs) {
      const response = await post(relay, url, '/events', { events }).catch(() => null)
      if (response?.status === 202) accepted += EVENTS_EACH
      else await sleep(2)
    }
  }
  await Promise.all([publisher(), publisher()])
  return Math.min(accepted, EVENTS_WHILE_STARTING)
}

async function post(relay: RelayProcess, url: string, route: string, body: unknown): Promise<Response> {
  const response = await fetch(`${url}/api/v1${route}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${relay.adminKey}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  })
  await response.arrayBuffer()
  return response
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const port = portOf(probe)
  probe.close()
  await once(probe, 'close')
  return port
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
