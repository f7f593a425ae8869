import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Relay, startRelay } from '../../../scripts/local/relay.ts'
import { RelayClient } from '../../support/process/relay-client.ts'
import { RelayProcess } from '../../support/process/relay-process.ts'
import { type Received, Receiver, waitUntil } from '../../support/receivers/receiver.ts'

let stateDir: string
let receiver: Receiver
let relay: RelayProcess | undefined
let restarted: Relay | undefined

beforeEach(async () => {
  stateDir = mkdtempSync(path.join(tmpdir(), 'posthorn-alarms-'))
  receiver = await Receiver.start()
})

afterEach(async () => {
  await relay?.kill9()
  await restarted?.stop()
  relay = restarted = undefined
  await receiver.close()
  rmSync(stateDir, { recursive: true, force: true })
})

test('a batch that waits when the relay is killed leaves by its alarm, at its time', async () => {
  const waitSeconds = 6
  const { acceptedMs } = await publishAndKill(waitSeconds, 'counted')
  restarted = await startRelay({ stateDir, sweeper: false, onLog: () => undefined })
  const startedMs = Date.now()
  expect(await receiver.waitForDelivered('/batch', 1, 15_000)).toBe(true)
  const { atMs } = firstBatch()
  expect(atMs).toBeGreaterThanOrEqual(acceptedMs + waitSeconds * 1_000)
  expect(atMs).toBeLessThan(Math.max(acceptedMs + waitSeconds * 1_000, startedMs) + 3_000)
})

test('a batch whose wait ends while the relay is down leaves when it is started, seen by its pacer or not', async () => {
  const waitSeconds = 1
  const { acceptedMs } = await publishAndKill(waitSeconds, 'accepted')
  await sleep(Math.max(0, acceptedMs + waitSeconds * 1_000 - Date.now()))
  expect(receiver.requests('/batch')).toEqual([])
  relay = await RelayProcess.start({ stateDir })
  expect(await receiver.waitForDelivered('/batch', 1, 5_000)).toBe(true)
  expect(JSON.parse(String(firstBatch().body)).events).toHaveLength(3)
})

/**
 * Publishes three events to a batched subscription and kills the relay: at once after the answer, or when the pacer has
 * been told of them. `acceptedMs` is at most when the first of them was accepted.
 */
async function publishAndKill(
  maxWaitTime: number,
  until: 'accepted' | 'counted',
): Promise<{ acceptedMs: number }> {
  relay = await RelayProcess.start({ stateDir })
  const client = new RelayClient(relay)
  const batchSettings = { enabled: true, maxEvents: 100, maxWaitTime }
  await client.subscribe({ url: receiver.url('/batch'), events: ['*'], batchSettings })
  const acceptedMs = Date.now()
  await client.publish(Array.from({ length: 3 }, (_, n) => ({ event: 'invoice.paid', data: { n } })))
  const running = relay
  const isCounted = () => running.output.includes('"queue.consumed","queue":"posthorn-paced"')
  if (until === 'counted') expect(await waitUntil(isCounted, 5_000)).toBe(true)
  await relay.kill9()
  return { acceptedMs }
}

function firstBatch(): Received {
  const [batch] = receiver.requests('/batch')
  if (batch === undefined) throw new Error('there is no batch')
  return batch
}
