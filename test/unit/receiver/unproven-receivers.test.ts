import { expect, test } from 'vitest'
import { UnprovenReceivers } from '../../../src/receiver/unproven-receivers.ts'

const NEVER = Number.NEGATIVE_INFINITY

test('a receiver that was read to be unproven is known so for a second', () => {
  const receivers = new UnprovenReceivers()
  receivers.seen([1], 1_000)
  expect([receivers.has(1, 1_999), receivers.has(1, 2_000), receivers.has(2, 1_000)]).toEqual([
    true,
    false,
    false,
  ])
})

test('it is pending from the first delivery that was handed on until it answers, and for three seconds at most', () => {
  const receivers = new UnprovenReceivers()
  expect(receivers.isPending(1, 1_000, NEVER)).toBe(false)
  receivers.handedOn([1], 1_000)
  expect(receivers.isPending(1, 3_999, NEVER)).toBe(true)
  expect(receivers.isPending(1, 3_999, 900)).toBe(true)
  expect(receivers.isPending(1, 1_100, 1_050)).toBe(false)
  expect(receivers.isPending(1, 4_000, NEVER)).toBe(false)
})
