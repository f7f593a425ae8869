import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, it } from 'vitest'
import { freePort } from '../../support/process/free-port.ts'
import { RelayProcess } from '../../support/process/relay-process.ts'
import { waitUntil } from '../../support/receivers/receiver.ts'

const BANNER_MS_MAX = 40_000

const stateDir = mkdtempSync(path.join(tmpdir(), 'posthorn-start-'))
const relays: RelayProcess[] = []

afterAll(async () => {
  for (const relay of relays) await relay.kill9()
  rmSync(stateDir, { recursive: true, force: true })
})

// One after the other on the same state: each goes on with the relay that the one before has left.
it('serves from its first answer on with a fresh state', async () => {
  await expectServingFromTheStart()
})

it('refuses to start on a state folder that another relay holds, and says which one', async () => {
  const first = newest()
  const second = RelayProcess.spawn({ stateDir })
  expect(await second.exited).toEqual({ code: 1, signal: null })
  expect(second.output).toContain(`Another relay (pid ${first.pid}) is running on ${stateDir}.`)
  expect(second.processes()).toEqual([])
  expect((await fetch(`${first.url}/healthz`)).status).toBe(200)
})

it('ends every child when it is told to stop, and exits in order', async () => {
  const relay = newest()
  expect(relay.processes().length).toBeGreaterThan(1)
  // To node alone, as a process manager sends it: its children are its own to end.
  process.kill(relay.pid, 'SIGTERM')
  expect(await relay.exited).toEqual({ code: 0, signal: null })
  // The bundler's process ends by itself, some moments later.
  expect(await waitUntil(() => relay.processes().length === 0, 5_000)).toBe(true)
  await expect(fetch(`${relay.url}/healthz`)).rejects.toThrow()
})

it('serves from its first answer on with a state that it knows', async () => {
  await expectServingFromTheStart()
})

it('ends the workerd that a killed relay left behind before it takes over its state and port', async () => {
  const killed = newest()
  process.kill(killed.pid, 'SIGKILL')
  await killed.exited
  // The bundler's process ends by itself, some moments later; workerd does not.
  await waitUntil(() => killed.processes().length === 1, 5_000)
  expect(killed.processes()).toHaveLength(1)
  const next = await RelayProcess.start({ stateDir, port: Number(new URL(killed.url).port) })
  relays.push(next)
  expect(killed.processes()).toEqual([])
  expect((await fetch(`${next.url}/healthz`)).status).toBe(200)
  // Ctrl-C in a terminal reaches node and workerd alike.
  next.signal('SIGINT')
  expect(await next.exited).toEqual({ code: 0, signal: null })
  expect(await waitUntil(() => next.processes().length === 0, 2_000)).toBe(true)
})

function newest(): RelayProcess {
  const relay = relays.at(-1)
  if (relay === undefined) throw new Error('no relay runs')
  return relay
}

async function expectServingFromTheStart(): Promise<void> {
  const port = await freePort()
  const relay = RelayProcess.spawn({ stateDir, port })
  relays.push(relay)
  const answers = await answersUntilBanner(relay, `http://127.0.0.1:${port}`)
  expect(new Set(answers)).toEqual(new Set(['/healthz 200', '/webhooks 200', '/events 202']))
}

/** Asks one call by turns until something listens, then all as fast as answers come until the banner is out, and once more. */
async function answersUntilBanner(relay: RelayProcess, url: string): Promise<string[]> {
  const answers: string[] = []
  const headers = { Authorization: `Bearer ${relay.adminKey}`, 'Content-Type': 'application/json' }
  const calls = [
    ['/healthz', `${url}/healthz`, {}],
    ['/webhooks', `${url}/api/v1/webhooks`, { headers }],
    ['/events', `${url}/api/v1/events`, { method: 'POST', headers, body: '{"event":"a.b","data":{}}' }],
  ] as const
  const ask = async ([name, address, init]: (typeof calls)[number]) => {
    const response = await fetch(address, { ...init, signal: AbortSignal.timeout(10_000) }).catch(() => null)
    if (response === null) return
    await response.text()
    answers.push(`${name} ${response.status}`)
  }
  const deadlineMs = Date.now() + BANNER_MS_MAX
  for (let n = 0, isOver = false; !isOver; n++) {
    isOver = relay.url !== '' || Date.now() > deadlineMs
    const asked = answers.length > 0 || isOver ? calls : calls.slice(n % 3, (n % 3) + 1)
    await Promise.all(asked.map(ask))
    await sleep(2)
  }
  return answers
}
