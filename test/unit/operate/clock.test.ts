import { expect, test } from 'vitest'
import { clockSetBackMs } from '../../../src/operate/clock.ts'

const NOW_MS = Date.UTC(2026, 10, 2, 12)

test.each([
  ['there was no sweep', null, 0],
  ['the last sweep was a minute ago', NOW_MS - 60_000, 0],
  ['another isolate has swept by a clock a minute ahead', NOW_MS + 60_000, 0],
  ['the last sweep lies an hour ahead', NOW_MS + 3_600_000, 3_600_000],
])('where %s', (_, lastSweepMs, setBackMs) => {
  expect(clockSetBackMs(lastSweepMs, NOW_MS)).toBe(setBackMs)
})
