import { describe, expect, test } from 'vitest'
import { Drain } from '../../../src/base/concurrency/drain.ts'
import { KeptConnections } from '../../../src/deliver/attempt/http/kept-connections.ts'
import type { PostRequest } from '../../../src/deliver/attempt/http/post.ts'
import type { Built } from '../../../src/deliver/attempt/request.ts'
import { send } from '../../../src/deliver/attempt/send.ts'
import type { Subscription } from '../../../src/subscription/subscription.ts'

const BROKEN = new Error('Network connection lost.')
const URL_TEXT = 'https://receiver.example.com/hooks'

/** One step of a receiver: its answer or what breaks, and after how long. */
type Step = { ms: number; end: Response | Error }

/** Sends one request after another, and tells for each its result and how many requests went out. */
function newSender(steps: Step[], url = URL_TEXT) {
  let nowMs = 1_000_000
  let requests = 0
  const fetch = async () => {
    const step = steps[requests++]
    if (step === undefined) throw new Error('one request too many')
    nowMs += step.ms
    if (step.end instanceof Error) throw step.end
    return step.end
  }
  const http = {
    fetch: fetch as unknown as typeof globalThis.fetch,
    now: () => nowMs,
    stalls: { totalMs: () => 0, watch: () => () => undefined, isBusy: () => false },
    connections: new KeptConnections(),
    drain: new Drain(() => 0),
  }
  const request: PostRequest = { url, headers: {}, body: new Uint8Array(), timeoutMs: 10_000, redact: null }
  return {
    pause: (ms: number) => {
      nowMs += ms
    },
    sendOne: async () => {
      const before = requests
      const built = { kind: 'built', request, payload: null, credentials: null } as unknown as Built
      const { result, latencyMs } = await send({ request: null as never, http }, {} as Subscription, built)
      return { result, latencyMs, requests: requests - before }
    },
  }
}

const answers = (ms = 5): Step => ({ ms, end: new Response('OK') })
const breaks = (ms: number): Step => ({ ms, end: BROKEN })

describe('a request that breaks at once', () => {
  test('is made once more where the receiver answered lately; the second one is measured', async () => {
    const { sendOne } = newSender([answers(), breaks(20), answers(7)])
    await sendOne()
    expect(await sendOne()).toEqual({ result: { status: 200 }, latencyMs: 7, requests: 2 })
  })

  test('is made once more only', async () => {
    const { sendOne } = newSender([answers(), breaks(1), breaks(1)])
    await sendOne()
    expect(await sendOne()).toMatchObject({ result: { fault: 'connection' }, requests: 2 })
  })

  test('is a failure where the receiver has never answered', async () => {
    const { sendOne } = newSender([breaks(1)])
    expect(await sendOne()).toMatchObject({ result: { fault: 'connection' }, requests: 1 })
  })

  test('is a failure where no connection can have been kept for so long', async () => {
    const { sendOne, pause } = newSender([answers(), breaks(1)])
    await sendOne()
    pause(120_001)
    expect(await sendOne()).toMatchObject({ result: { fault: 'connection' }, requests: 1 })
  })
})

test('a request that breaks later is a failure', async () => {
  const { sendOne } = newSender([answers(), breaks(101)])
  await sendOne()
  expect(await sendOne()).toMatchObject({ result: { fault: 'connection' }, requests: 1 })
})

test('an answer that breaks off is a failure', async () => {
  const body = new ReadableStream({ start: (stream) => stream.error(BROKEN) })
  const { sendOne } = newSender([answers(), { ms: 1, end: new Response(body) }])
  await sendOne()
  expect(await sendOne()).toMatchObject({ result: { fault: 'connection' }, requests: 1 })
})
