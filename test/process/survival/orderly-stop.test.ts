import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { ownRelay } from '../../support/process/own-relay.ts'
import { RelayClient } from '../../support/process/relay-client.ts'
import type { RelayProcess } from '../../support/process/relay-process.ts'
import { waitUntil } from '../../support/receivers/receiver.ts'

const EVENTS = 60
const ANSWER_MS = 1_500

const stage = ownRelay('stop')

/** Publishes again and again until it is refused; the statuses of all answers. */
async function publishOn(relay: RelayProcess): Promise<number[]> {
  const statuses: number[] = []
  while (!statuses.includes(503)) {
    const response = await fetch(`${relay.url}/api/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${relay.adminKey}`, 'content-type': 'application/json' },
      body: '{"event":"stop.later","data":{}}',
    })
    await response.arrayBuffer()
    statuses.push(response.status)
    await sleep(5)
  }
  return statuses
}

/** Publishes events, and waits until some of them are on their way. */
async function deliverTo(at: string): Promise<void> {
  const { relay, receiver } = stage
  const client = new RelayClient(relay)
  const event = `stop.now.${at.slice(1)}`
  await client.subscribe({ url: receiver.url(at), events: [event], timeoutSeconds: 30 })
  await client.publish(Array.from({ length: EVENTS }, (_, n) => ({ event, data: { n } })))
  expect(await waitUntil(() => receiver.requests(at).length > 5, 10_000)).toBe(true)
}

const SIGNALS: [name: string, at: string, send: (relay: RelayProcess) => void][] = [
  ['SIGTERM to node', '/terminated', (relay) => process.kill(relay.pid, 'SIGTERM')],
  ['Ctrl-C in a terminal', '/interrupted', (relay) => relay.signal('SIGINT')],
  ['SIGHUP to all of the terminal', '/hung-up', (relay) => relay.signal('SIGHUP')],
]

// One after the other on the same state: each goes on with the relay that the one before has started again.
test.each(SIGNALS)(
  '%s under load: what was begun is answered, and all ends in order',
  async (_, at, send) => {
    const { relay, receiver } = stage
    receiver.script(at, { status: 200, delayMs: ANSWER_MS })
    const publishers = [publishOn(relay), publishOn(relay)]
    await deliverTo(at)
    send(relay)
    const statuses = (await Promise.all(publishers)).flat()
    expect(await relay.exited).toEqual({ code: 0, signal: null })
    // A bundler's process, where there was one, ends by itself some moments later.
    expect(await waitUntil(() => relay.processes().length === 0, 5_000)).toBe(true)
    expect(new Set(statuses)).toEqual(new Set([202, 503]))
    await stage.start()
  },
)

test('what was begun before each of them is settled, and the rest is made after the start: all of it once', async () => {
  const { receiver } = stage
  const paths = SIGNALS.map(([, at]) => at)
  for (const at of paths) expect(await receiver.waitForDelivered(at, EVENTS, 30_000), at).toBe(true)
  await sleep(ANSWER_MS)
  for (const at of paths) {
    expect(receiver.doubled(at)).toEqual([])
    expect(receiver.requests(at)).toHaveLength(EVENTS)
  }
})

test('a second signal ends it at once', async () => {
  const { relay, receiver } = stage
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
