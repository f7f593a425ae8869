import { expect, test } from 'vitest'
import { SLOW_LATENCY_MS } from '../../../src/receiver/health.ts'
import { InFlight } from '../../../src/receiver/in-flight.ts'

test('a receiver is slow while its oldest request has been out for too long, and no other is', () => {
  const inFlight = new InFlight()
  const end = inFlight.begin(1, 0)
  inFlight.begin(1, SLOW_LATENCY_MS)
  inFlight.begin(2, SLOW_LATENCY_MS)
  expect(inFlight.isSlow(1, SLOW_LATENCY_MS)).toBe(false)
  expect(inFlight.isSlow(1, SLOW_LATENCY_MS + 1)).toBe(true)
  expect(inFlight.isSlow(2, SLOW_LATENCY_MS + 1)).toBe(false)
  end()
  expect(inFlight.isSlow(1, SLOW_LATENCY_MS + 1)).toBe(false)
})

test('a slow receiver is a burden when it has twenty requests under way, and a quick one never is', () => {
  const inFlight = new InFlight()
  for (let n = 0; n < 19; n++) inFlight.begin(1, 0)
  expect(inFlight.isBurden(1, SLOW_LATENCY_MS + 1)).toBe(false)
  const end = inFlight.begin(1, 0)
  expect(inFlight.isBurden(1, SLOW_LATENCY_MS)).toBe(false)
  expect(inFlight.isBurden(1, SLOW_LATENCY_MS + 1)).toBe(true)
  end()
  expect(inFlight.isBurden(1, SLOW_LATENCY_MS + 1)).toBe(false)
})

test('a receiver whose requests take long is not slow while it keeps answering others', () => {
  const inFlight = new InFlight()
  inFlight.begin(1, 0)
  inFlight.answered(1, 1_500)
  expect(inFlight.isSlow(1, SLOW_LATENCY_MS + 1)).toBe(false)
  expect(inFlight.isSlow(1, SLOW_LATENCY_MS + 1_501)).toBe(true)
})

test('no more requests are made at once than a receiver has shown to bear, and never more than its concurrency', async () => {
  const most = async (concurrency: number | null) => {
    const inFlight = new InFlight()
    const waiting: (() => void)[] = []
    const work = () =>
      new Promise<{ value: null; end: { kind: 'other' } }>((resolve) => {
        waiting.push(() => resolve({ value: null, end: { kind: 'other' } }))
      })
    for (let i = 0; i < 50; i++) void inFlight.admit({ no: 1, concurrency }, () => 0, work)
    await Promise.resolve()
    return waiting.length
  }
  expect([await most(null), await most(3)]).toEqual([10, 3])
})

test('a receiver is busy while more wait for it here than it will soon be asked', async () => {
  const inFlight = new InFlight()
  const never = () => new Promise<never>(() => undefined)
  for (let i = 0; i < 209; i++) void inFlight.admit({ no: 1, concurrency: null }, () => 0, never)
  expect(inFlight.isBusy(1, 0)).toBe(false)
  void inFlight.admit({ no: 1, concurrency: null }, () => 0, never)
  expect(inFlight.isBusy(1, 0)).toBe(true)
})

test('a request that the platform cancelled does not make its receiver slow for ever', () => {
  const inFlight = new InFlight()
  inFlight.begin(1, 0)
  inFlight.begin(1, 100_000)()
  expect(inFlight.isSlow(1, 100_001)).toBe(false)
})

test('requests about to begin keep the isolate occupied as those that are out, and for a second at most', () => {
  const inFlight = new InFlight()
  const begins = inFlight.starting(100, 0)
  expect(inFlight.young(0, false)).toBe(100)
  for (let n = 0; n < 40; n++) {
    begins()
    inFlight.begin(n, 0)
  }
  expect(inFlight.young(0, false)).toBe(100)
  expect(inFlight.young(500, false)).toBe(60)
  expect(inFlight.young(1_001, false)).toBe(0)
})
