import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { ownRelay } from '../../support/process/own-relay.ts'
import { RelayClient } from '../../support/process/relay-client.ts'
import { type Receiver, waitUntil } from '../../support/receivers/receiver.ts'

const stage = ownRelay('delivery')
let receiver: Receiver
let client: RelayClient

beforeAll(() => {
  receiver = stage.receiver
  client = new RelayClient(stage.relay)
})

// These wait for retries most of the time.
describe.concurrent('a receiver that does not accept at once', () => {
  it('attempts again after the delays of the policy, with the same id and bytes, until the receiver accepts', async () => {
    receiver.script('/thrice', 500, 500, 200)
    await client.subscribe({
      url: receiver.url('/thrice'),
      events: ['thrice.*'],
      retryPolicy: { schedule: [1, 2] },
    })
    const { ids } = await client.publish({ event: 'thrice.test', data: { total: 1 } })
    expect(await receiver.waitForDelivered('/thrice', 1, 10_000)).toBe(true)
    const [first, second, third, ...more] = receiver.requests('/thrice')
    expect(more).toEqual([])
    expect(receiver.requests('/thrice').map(({ id }) => id)).toEqual([ids[0], ids[0], ids[0]])
    expect([second?.body, third?.body]).toEqual([first?.body, first?.body])
    expectDelay((second?.atMs ?? 0) - (first?.atMs ?? 0), 1_000)
    expectDelay((third?.atMs ?? 0) - (second?.atMs ?? 0), 2_000)
  })

  it('gives up after the first attempt and exactly as many retries as the policy allows', async () => {
    receiver.script('/never', 503)
    const retryPolicy = { maxRetries: 2, retryDelay: 1, backoffMultiplier: 1 }
    await client.subscribe({ url: receiver.url('/never'), events: ['never.*'], retryPolicy })
    await client.publish({ event: 'never.test', data: {} })
    expect(await waitUntil(() => receiver.requests('/never').length === 3, 10_000)).toBe(true)
    // A further retry would come a second after the last one, and be a second late at most.
    await sleep(2_500)
    expect(receiver.requests('/never')).toHaveLength(3)
  })

  it('takes a connection that the receiver closes for a failed attempt and tries again', async () => {
    // The first could be a kept connection, and is made once more at once.
    receiver.script('/closes', 'close', 'close', 200)
    await client.subscribe({
      url: receiver.url('/closes'),
      events: ['closes.*'],
      retryPolicy: { schedule: [1] },
    })
    await client.publish({ event: 'closes.test', data: {} })
    expect(await receiver.waitForDelivered('/closes', 1, 10_000)).toBe(true)
    expect(receiver.requests('/closes')).toHaveLength(3)
  })
})

it('delivers an event of nine megabytes byte for byte', async () => {
  await client.subscribe({ url: receiver.url('/large'), events: ['large.*'], timeoutSeconds: 30 })
  const row = '{"amount":2567.50,"id":12345678901234567890,"note":"ä\\u00e4 \\"🙂\\" \\/"}'
  const data = `{ "rows": [${Array.from({ length: Math.ceil(9_000_000 / Buffer.byteLength(row)) }, () => row).join(', ')}] }`
  const { status } = await client.publishText(`{"event":"large.test","data":${data}}`)
  expect(status).toBe(202)
  expect(await receiver.waitForDelivered('/large', 1, 20_000)).toBe(true)
  const body = receiver.requests('/large')[0]?.body ?? Buffer.alloc(0)
  const start = body.indexOf('"data":') + '"data":'.length
  const length = Buffer.byteLength(data)
  expect(sha256(body.subarray(start, start + length))).toBe(sha256(Buffer.from(data)))
  expect(body.subarray(start + length, start + length + 1).toString()).toMatch(/[,}]/)
})

/** Not before the delay, give or take the clocks' rounding, and at most a second after it. */
function expectDelay(measuredMs: number, delayMs: number): void {
  expect(measuredMs).toBeGreaterThanOrEqual(delayMs - 50)
  expect(measuredMs).toBeLessThanOrEqual(delayMs + 1_000)
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
