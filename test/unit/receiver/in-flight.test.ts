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
