import fc from 'fast-check'
import { expect, test } from 'vitest'
import { capacityMessage, capacityOf } from '../../../src/store/capacity.ts'
import { DATABASE_BYTES_MAX } from '../../../src/store/database-limit.ts'

test.each([
  [0, { percent: 0, state: 'ok' }],
  [7_999_999_999, { percent: 79, state: 'ok' }],
  [8_000_000_000, { percent: 80, state: 'warn' }],
  [9_499_999_999, { percent: 94, state: 'warn' }],
  [9_500_000_000, { percent: 95, state: 'full' }],
  [10_000_000_000, { percent: 100, state: 'full' }],
  [20_000_000_000, { percent: 100, state: 'full' }],
])('%i of 10 GB', (bytes, fill) => {
  expect(capacityOf(bytes)).toEqual(fill)
  expect(capacityOf(bytes / 1000, DATABASE_BYTES_MAX / 1000)).toEqual(fill)
})

test('says nothing while all is well, and otherwise how full it is and what follows', () => {
  expect(capacityMessage(capacityOf(0))).toBeNull()
  expect(capacityMessage(capacityOf(83, 100))).toContain('83 % full; at 95 % no more events are accepted')
  expect(capacityMessage(capacityOf(96, 100))).toContain('96 % full and accepts no more events')
})

test('more bytes are never less full', () => {
  const states = ['ok', 'warn', 'full']
  fc.assert(
    fc.property(fc.nat(1_000_000), fc.nat(1_000_000), fc.integer({ min: 1, max: 1_000_000 }), (a, b, max) => {
      const [less, more] = [capacityOf(Math.min(a, b), max), capacityOf(Math.max(a, b), max)]
      expect(less.percent).toBeLessThanOrEqual(more.percent)
      expect(states.indexOf(less.state)).toBeLessThanOrEqual(states.indexOf(more.state))
    }),
  )
})
