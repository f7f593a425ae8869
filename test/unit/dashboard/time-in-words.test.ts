import { expect, test } from 'vitest'
import { lengthInWords, relativeTime } from '../../../apps/dashboard/src/words/time.ts'

test.each([
  [0, '0 ms'],
  [34.4, '34 ms'],
  [999, '999 ms'],
  [999.7, '1 s'],
  [1_500, '1.5 s'],
  [59_400, '59 s'],
  [59_600, '1 min'],
  [240_000, '4 min'],
  [3_600_000, '1 h'],
  [47 * 3_600_000, '47 h'],
  [72 * 3_600_000, '3 days'],
])('%d ms are %s', (ms, words) => {
  expect(lengthInWords(ms)).toBe(words)
})

test('times are told from now on, in both directions', () => {
  const nowMs = Date.parse('2026-11-30T12:00:00Z')
  expect(relativeTime('2026-11-30T11:56:00Z', nowMs)).toBe('4 min ago')
  expect(relativeTime('2026-11-30T12:04:00Z', nowMs)).toBe('in 4 min')
  expect(relativeTime('2026-11-30T11:59:58Z', nowMs)).toBe('just now')
})
