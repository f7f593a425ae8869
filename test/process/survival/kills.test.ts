import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Kills } from '../../../scripts/proof/kills.ts'
import { Receiver, waitUntil } from '../../support/receivers/receiver.ts'

/** Sends one request at once, and says so. */
const SENDER = `const socket = require('node:net').connect(Number(process.argv[1]), '127.0.0.1', () => {
  socket.write('POST /hooks HTTP/1.1\\r\\nhost: a\\r\\nwebhook-id: evt_1\\r\\ncontent-length: 2\\r\\n\\r\\n{}')
})`

let receiver: Receiver
let sender: ChildProcess

beforeEach(async () => {
  receiver = await Receiver.start()
})

afterEach(async () => {
  sender.kill('SIGKILL')
  await receiver.close()
})

/** Keeps this thread busy, as a machine that has too much to do. */
function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

test('what a killed process had sent came before its kill, however late it is read', async () => {
  sender = spawn(process.execPath, ['-e', SENDER, String(receiver.port)], { stdio: 'ignore' })
  await once(sender, 'spawn')
  standStill(2_000)
  const kills = new Kills(receiver)
  await kills.kill({
    kill9: async () => {
      sender.kill('SIGKILL')
      standStill(300)
    },
  })
  expect(await waitUntil(() => receiver.requests('/hooks').length === 1, 5_000)).toBe(true)
  const [{ atMs } = { atMs: 0 }] = receiver.requests('/hooks')
  expect(kills.cutOffMs(atMs, atMs + 10_000)).toBe(0)
})

test('a delivery that comes again without a kill in between, or long after its outcome was due, is not explained', async () => {
  sender = spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' })
  const kills = new Kills(receiver)
  const beforeMs = Date.now()
  await kills.kill({ kill9: async () => undefined }, { slowestPublishMs: 100 })
  const afterMs = Date.now() + 1
  expect(kills.cutOffMs(beforeMs, afterMs)).not.toBeNull()
  expect(kills.cutOffMs(afterMs, afterMs + 5)).toBeNull()
  expect(kills.cutOffMs(beforeMs - kills.unrecordedMsMax - 1, afterMs)).toBeNull()
})
