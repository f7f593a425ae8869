import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { RelayProcess } from '../../support/process/relay-process.ts'
import { waitUntil } from '../../support/receivers/receiver.ts'

const stateDir = mkdtempSync(path.join(tmpdir(), 'posthorn-start-'))
const relays: RelayProcess[] = []

afterAll(async () => {
  for (const relay of relays) await relay.kill9()
  rmSync(stateDir, { recursive: true, force: true })
})

it('refuses to start on a state folder that another relay holds, and says which one', async () => {
  const first = await start()
  const second = RelayProcess.spawn({ stateDir })
  relays.push(second)
  expect(await second.exited).toEqual({ code: 1, signal: null })
  expect(second.output).toContain(`Another relay (pid ${first.pid}) is running on ${stateDir}.`)
  expect(second.processes()).toEqual([])
  expect((await fetch(`${first.url}/healthz`)).status).toBe(200)
})

it('ends every child when it is told to stop, and exits in order', async () => {
  const [relay] = relays
  if (relay === undefined) throw new Error('no relay runs')
  expect(relay.processes().length).toBeGreaterThan(1)
  // To node alone, as a process manager sends it: its children are its own to end.
  process.kill(relay.pid, 'SIGTERM')
  expect(await relay.exited).toEqual({ code: 0, signal: null })
  // The bundler's process ends by itself, some moments later.
  expect(await waitUntil(() => relay.processes().length === 0, 5_000)).toBe(true)
  await expect(fetch(`${relay.url}/healthz`)).rejects.toThrow()
})

it('ends the workerd that a killed relay left behind before it takes over its state and port', async () => {
  const killed = await start()
  process.kill(killed.pid, 'SIGKILL')
  await killed.exited
  // The bundler's process ends by itself, some moments later; workerd does not.
  await waitUntil(() => killed.processes().length === 1, 5_000)
  expect(killed.processes()).toHaveLength(1)
  const next = await start(Number(new URL(killed.url).port))
  expect(killed.processes()).toEqual([])
  expect((await fetch(`${next.url}/healthz`)).status).toBe(200)
  // Ctrl-C in a terminal reaches node and workerd alike.
  next.signal('SIGINT')
  expect(await next.exited).toEqual({ code: 0, signal: null })
  expect(await waitUntil(() => next.processes().length === 0, 2_000)).toBe(true)
})

async function start(port = 0): Promise<RelayProcess> {
  const relay = await RelayProcess.start({ stateDir, port })
  relays.push(relay)
  return relay
}
