import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { atFullCount } from '../../support/full-count.ts'
import { RelayClient } from '../../support/process/relay-client.ts'
import { RelayProcess } from '../../support/process/relay-process.ts'
import { type Answer, Receiver, waitUntil } from '../../support/receivers/receiver.ts'

const KILLS = atFullCount(3, { short: 1 })
const EVENTS = 20
const ARRIVES_MS_MAX = 30_000

const stateDir = mkdtempSync(path.join(tmpdir(), 'posthorn-batch-kills-'))
let receiver: Receiver

beforeAll(async () => {
  receiver = await Receiver.start()
})

afterAll(async () => {
  await receiver.close()
  rmSync(stateDir, { recursive: true, force: true })
})

test('a batch in flight at kills comes under one id and with the same members each time', async () => {
  const [first, ...others] = [...Array.from({ length: KILLS }, (): Answer => 'hang'), 200 as const]
  receiver.script('/batched', first ?? 200, ...others)
  let relay = await RelayProcess.start({ stateDir })
  try {
    const client = new RelayClient(relay)
    const batchSettings = { enabled: true, maxEvents: EVENTS, maxWaitTime: 1 }
    await client.subscribe({
      url: receiver.url('/batched'),
      events: ['*'],
      timeoutSeconds: 30,
      batchSettings,
    })
    await client.publish(Array.from({ length: EVENTS }, (_, n) => ({ event: 'batch.kill', data: { n } })))
    for (let kill = 1; kill <= KILLS; kill++) {
      expect(await waitUntil(() => receiver.requests('/batched').length >= kill, ARRIVES_MS_MAX)).toBe(true)
      await relay.kill9()
      relay = await RelayProcess.start({ stateDir })
    }
    expect(await receiver.waitForDelivered('/batched', 1, ARRIVES_MS_MAX)).toBe(true)
  } finally {
    await relay.kill9()
  }
  const requests = receiver.requests('/batched')
  expect(requests.map(({ status }) => status)).toEqual([...Array.from({ length: KILLS }, () => null), 200])
  expect(new Set(requests.map(({ id }) => id)).size).toBe(1)
  expect(new Set(requests.map(({ body }) => body.toString())).size).toBe(1)
}, 180_000)
