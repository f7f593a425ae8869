import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { RelayClient } from '../../support/process/relay-client.ts'
import { RelayProcess } from '../../support/process/relay-process.ts'
import { Receiver, waitUntil } from '../../support/receivers/receiver.ts'

const EVENTS = 60
const ANSWER_MS = 1_500

let stateDir: string
let receiver: Receiver
let relay: RelayProcess

beforeAll(async () => {
  stateDir = mkdtempSync(path.join(tmpdir(), 'posthorn-stop-'))
  receiver = await Receiver.start()
  relay = await RelayProcess.start({ stateDir })
})

afterAll(async () => {
  await relay?.kill9()
  await receiver?.close()
  rmSync(stateDir, { recursive: true, force: true })
})

/** Publishes again and again until it is refused; the statuses of all answers. */
async function publishOn(): Promise<number[]> {
  const statuses: number[] = []
  while (!statuses.includes(503)) {
    const response = await fetch(`${relay.url}/api/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${relay.adminKey}`, 'content-type': 'application/json' },
      body: '{"event":"stop.later","data":{}}',
    })
    await response.arrayBuffer()
    statuses.push(response.status)
  }
  return statuses
}

/** Publishes events, and waits until some of them are on their way. */
async function deliverTo(at: string): Promise<void> {
  const client = new RelayClient(relay)
  const event = `stop.now.${at.slice(1)}`
  await client.subscribe({ url: receiver.url(at), events: [event], timeoutSeconds: 30 })
  await client.publish(Array.from({ length: EVENTS }, (_, n) => ({ event, data: { n } })))
  expect(await waitUntil(() => receiver.requests(at).length > 5, 10_000)).toBe(true)
}

// One after the other on the same state: each goes on with the relay that the one before has started again.
test.each([
  ['SIGTERM to node', '/terminated', () => process.kill(relay.pid, 'SIGTERM')],
  ['Ctrl-C in a terminal', '/interrupted', () => relay.signal('SIGINT')],
  ['SIGHUP to all of the terminal', '/hung-up', () => relay.signal('SIGHUP')],
])(
  '%s under load: what was begun is answered and settled, the rest is made after the start',
  async (_, at, send) => {
    receiver.script(at, { status: 200, delayMs: ANSWER_MS })
    const publishers = [publishOn(), publishOn()]
    await deliverTo(at)
    send()
    const statuses = (await Promise.all(publishers)).flat()
    expect(await relay.exited).toEqual({ code: 0, signal: null })
    // A bundler's process, where there was one, ends by itself some moments later.
    expect(await waitUntil(() => relay.processes().length === 0, 5_000)).toBe(true)
    expect(new Set(statuses)).toEqual(new Set([202, 503]))
    relay = await RelayProcess.start({ stateDir })
    expect(await receiver.waitForDelivered(at, EVENTS, 30_000)).toBe(true)
    await sleep(ANSWER_MS)
    expect(receiver.doubled(at)).toEqual([])
    expect(receiver.requests(at)).toHaveLength(EVENTS)
  },
)

test('a second signal ends it at once', async () => {
  receiver.script('/hanging', 'hang')
  await deliverTo('/hanging')
  process.kill(relay.pid, 'SIGTERM')
  await sleep(1_000)
  expect(relay.processes()).not.toEqual([])
  const startedAtMs = Date.now()
  process.kill(relay.pid, 'SIGTERM')
  expect(await relay.exited).toEqual({ code: 1, signal: null })
  expect(Date.now() - startedAtMs).toBeLessThan(2_000)
  expect(await waitUntil(() => relay.processes().length === 0, 2_000)).toBe(true)
})
