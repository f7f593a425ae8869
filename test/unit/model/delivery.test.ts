import { describe, expect, test } from 'vitest'
import { decodePublicId } from '../../../src/base/ids/public-id.ts'
import {
  DELIVERY_STATES,
  deliveryIdOf,
  eventIdOf,
  pairKey,
  stateNumber,
} from '../../../src/model/delivery.ts'

describe('a delivery', () => {
  test.each([
    ['pending', 0],
    ['success', 1],
    ['failed', 2],
    ['skipped', 3],
  ] as const)('that is %s is stored as %i, for ever', (state, number) => {
    expect(stateNumber(state)).toBe(number)
  })

  test('has no other states', () => {
    expect(DELIVERY_STATES).toHaveLength(4)
  })

  test('has an id that leads back to its subscription and event', () => {
    expect(decodePublicId('log_', deliveryIdOf({ subscriptionNo: 12, seq: 345 }))).toEqual({
      owner: 12,
      seq: 345,
    })
  })

  test('has a key of its own in maps', () => {
    expect(pairKey({ subscriptionNo: 1, seq: 23 })).not.toBe(pairKey({ subscriptionNo: 12, seq: 3 }))
  })
})

describe('an event', () => {
  test('goes by the id its publisher gave it', () => {
    expect(eventIdOf({ workspaceNo: 1, seq: 2, ownId: 'order-1' })).toBe('order-1')
  })

  test('goes by a generated id else, which leads back to it', () => {
    const id = eventIdOf({ workspaceNo: 3, seq: 44, ownId: null })
    expect(decodePublicId('evt_', id)).toEqual({ owner: 3, seq: 44 })
  })
})
