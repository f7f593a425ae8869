import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { RelayClient } from '../../support/process/relay-client.ts'
import { RelayProcess } from '../../support/process/relay-process.ts'
import { waitUntil } from '../../support/receivers/receiver.ts'
import { StrictReceiver } from '../../support/receivers/strict-receiver.ts'

const stateDir = mkdtempSync(path.join(tmpdir(), 'posthorn-limits-'))
let receiver: StrictReceiver
let relay: RelayProcess

beforeAll(async () => {
  receiver = await StrictReceiver.start()
  relay = await RelayProcess.start({ stateDir })
})

afterAll(async () => {
  await relay?.stop()
  await receiver?.close()
  rmSync(stateDir, { recursive: true, force: true })
})

const LIMITS = [
  { name: 'quick', requests: 20, perSeconds: 1, answerMs: 1, events: 70 },
  { name: 'usual', requests: 50, perSeconds: 1, answerMs: 400, events: 170 },
  { name: 'slow', requests: 40, perSeconds: 2, answerMs: 1_500, events: 60 },
]

test('receivers with exactly the limits of their subscriptions refuse none of 300 requests', async () => {
  const client = new RelayClient(relay)
  for (const { name, events, ...terms } of LIMITS) {
    const { requests, perSeconds } = terms
    const url = receiver.open(`/${name}`, terms)
    await client.subscribe({ url, events: [`${name}.*`], rateLimit: { requests, perSeconds } })
    await client.publish(Array.from({ length: events }, (_, n) => ({ event: `${name}.test`, data: { n } })))
  }
  const isDelivered = () =>
    LIMITS.every(({ name, events }) => receiver.log(`/${name}`).delivered.size === events)
  expect(await waitUntil(isDelivered, 20_000)).toBe(true)
  expect(LIMITS.map(({ name }) => receiver.log(`/${name}`).refused)).toEqual([0, 0, 0])
})
