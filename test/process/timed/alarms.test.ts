import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, type TestContext, test } from 'vitest'
import { startRelay } from '../../../scripts/local/relay.ts'
import { RelayClient } from '../../support/process/relay-client.ts'
import { RelayProcess } from '../../support/process/relay-process.ts'
import { type Received, Receiver, waitUntil } from '../../support/receivers/receiver.ts'

// Each waits most of the time, with a state and a receiver of its own.
test.concurrent('a batch that waits when the relay is killed leaves by its alarm, at its time', async ({
  onTestFinished,
}) => {
  const waitSeconds = 5
  const stage = await newStage(onTestFinished)
  const { acceptedMs } = await publishAndKill(stage, waitSeconds, 'counted')
  const restarted = await startRelay({ stateDir: stage.stateDir, sweeper: false, onLog: () => undefined })
  onTestFinished(() => restarted.stop())
  const startedMs = Date.now()
  expect(await stage.receiver.waitForDelivered('/batch', 1, 15_000)).toBe(true)
  const { atMs } = firstBatch(stage)
  expect(atMs).toBeGreaterThanOrEqual(acceptedMs + waitSeconds * 1_000)
  expect(atMs).toBeLessThan(Math.max(acceptedMs + waitSeconds * 1_000, startedMs) + 3_000)
})

test.concurrent('a batch whose wait ends while the relay is down leaves when it is started, seen by its pacer or not', async ({
  onTestFinished,
}) => {
  const waitSeconds = 1
  const stage = await newStage(onTestFinished)
  const { acceptedMs } = await publishAndKill(stage, waitSeconds, 'accepted')
  await sleep(Math.max(0, acceptedMs + waitSeconds * 1_000 - Date.now()))
  expect(stage.receiver.requests('/batch')).toEqual([])
  const relay = await RelayProcess.start({ stateDir: stage.stateDir })
  onTestFinished(() => relay.kill9())
  expect(await stage.receiver.waitForDelivered('/batch', 1, 5_000)).toBe(true)
  expect(JSON.parse(String(firstBatch(stage).body)).events).toHaveLength(3)
})

type Stage = { stateDir: string; receiver: Receiver; onTestFinished: TestContext['onTestFinished'] }

async function newStage(onTestFinished: TestContext['onTestFinished']): Promise<Stage> {
  const stateDir = mkdtempSync(path.join(tmpdir(), 'posthorn-alarms-'))
  const receiver = await Receiver.start()
  onTestFinished(async () => {
    await receiver.close()
    rmSync(stateDir, { recursive: true, force: true })
  })
  return { stateDir, receiver, onTestFinished }
}

/**
 * Publishes three events to a batched subscription and kills the relay: at once after the answer, or when the pacer has
 * been told of them. `acceptedMs` is at most when the first of them was accepted.
 */
async function publishAndKill(
  { stateDir, receiver, onTestFinished }: Stage,
  maxWaitTime: number,
  until: 'accepted' | 'counted',
): Promise<{ acceptedMs: number }> {
  const relay = await RelayProcess.start({ stateDir })
  onTestFinished(() => relay.kill9())
  const client = new RelayClient(relay)
  const batchSettings = { enabled: true, maxEvents: 100, maxWaitTime }
  await client.subscribe({ url: receiver.url('/batch'), events: ['*'], batchSettings })
  const acceptedMs = Date.now()
  await client.publish(Array.from({ length: 3 }, (_, n) => ({ event: 'invoice.paid', data: { n } })))
  const isCounted = () => relay.output.includes('"queue.consumed","queue":"posthorn-paced"')
  if (until === 'counted') expect(await waitUntil(isCounted, 5_000)).toBe(true)
  await relay.kill9()
  return { acceptedMs }
}

function firstBatch({ receiver }: Stage): Received {
  const [batch] = receiver.requests('/batch')
  if (batch === undefined) throw new Error('there is no batch')
  return batch
}
