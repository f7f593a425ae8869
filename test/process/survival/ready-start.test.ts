import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, it } from 'vitest'
import { RelayProcess } from '../../support/process/relay-process.ts'

const stateDir = mkdtempSync(path.join(tmpdir(), 'posthorn-ready-'))
const relays: RelayProcess[] = []

afterAll(async () => {
  for (const relay of relays) await relay.kill9()
  rmSync(stateDir, { recursive: true, force: true })
})

it('serves from its first answer on, with a fresh state and with one that it knows', async () => {
  for (const kind of ['fresh', 'known']) {
    const port = await freePort()
    const relay = RelayProcess.spawn({ stateDir, port })
    relays.push(relay)
    const answers = await answersUntilBanner(relay, `http://127.0.0.1:${port}`)
    expect(new Set(answers), kind).toEqual(new Set(['/healthz 200', '/webhooks 200', '/events 202']))
    await relay.stop()
  }
})

/** Asks as fast as answers come from before anything listens until the banner is out, and once more. */
async function answersUntilBanner(relay: RelayProcess, url: string): Promise<string[]> {
  const answers: string[] = []
  const headers = { Authorization: `Bearer ${relay.adminKey}`, 'Content-Type': 'application/json' }
  const ask = async (name: string, address: string, init: RequestInit) => {
    const response = await fetch(address, { ...init, signal: AbortSignal.timeout(10_000) }).catch(() => null)
    if (response === null) return
    await response.text()
    answers.push(`${name} ${response.status}`)
  }
  const deadlineMs = Date.now() + 40_000
  for (let isOver = false; !isOver; ) {
    isOver = relay.url !== '' || Date.now() > deadlineMs
    await Promise.all([
      ask('/healthz', `${url}/healthz`, {}),
      ask('/webhooks', `${url}/api/v1/webhooks`, { headers }),
      ask('/events', `${url}/api/v1/events`, { method: 'POST', headers, body: '{"event":"a.b","data":{}}' }),
    ])
    await sleep(2)
  }
  return answers
}

async function freePort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  const probe = createServer().listen(0, '127.0.0.1', () => {
    const address = probe.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    probe.close(() => resolve(port))
  })
  return await promise
}
