import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { StallMeter } from '../../../../src/base/concurrency/stall-meter.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('time in which timers come is no standstill', () => {
  const meter = new StallMeter(() => Date.now())
  const end = meter.watch()
  vi.advanceTimersByTime(60_000)
  expect(meter.totalMs()).toBe(0)
  end()
})

test('a standstill is seen at once when it ends, before any timer', () => {
  const meter = new StallMeter(() => Date.now())
  const end = meter.watch()
  vi.advanceTimersByTime(1_000)
  vi.setSystemTime(Date.now() + 15_000)
  expect(meter.totalMs()).toBe(14_750)
  vi.advanceTimersByTime(10_000)
  expect(meter.totalMs()).toBe(14_750)
  end()
})

test('time that is not watched does not count', () => {
  const meter = new StallMeter(() => Date.now())
  meter.watch()()
  vi.setSystemTime(Date.now() + 15_000)
  const end = meter.watch()
  expect(meter.totalMs()).toBe(0)
  end()
})

test('an isolate is busy while its timers come late, and for a moment after', () => {
  const meter = new StallMeter(() => Date.now())
  const end = meter.watch()
  vi.advanceTimersByTime(1_000)
  expect(meter.isBusy()).toBe(false)
  vi.setSystemTime(Date.now() + 110)
  vi.advanceTimersByTime(250)
  expect([meter.isBusy(), meter.totalMs()]).toEqual([true, 0])
  vi.advanceTimersByTime(750)
  expect(meter.isBusy()).toBe(false)
  end()
})
