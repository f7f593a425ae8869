import { describe, expect, test } from 'vitest'
import { BulkMeter } from '../../../src/hints/bulk-meter.ts'

describe('the deliveries of a workspace', () => {
  test('are bulk once there are more than a thousand at once', () => {
    const meter = new BulkMeter()
    const lanes = Array.from({ length: 12 }, () => meter.add(1, 100, 0))
    expect(lanes).toEqual([...new Array(10).fill(false), true, true])
  })

  test('are single ones again when time has passed', () => {
    const meter = new BulkMeter()
    for (let i = 0; i < 12; i++) meter.add(1, 100, 0)
    expect([meter.add(1, 1, 100), meter.add(1, 1, 1_000)]).toEqual([true, false])
  })

  test('are never bulk at a steady rate that one queue bears', () => {
    const meter = new BulkMeter()
    const lanes = Array.from({ length: 10_000 }, (_, i) => meter.add(1, 1, i * 2))
    expect(lanes).not.toContain(true)
  })

  test('do not count for another workspace', () => {
    const meter = new BulkMeter()
    for (let i = 0; i < 1_000; i++) meter.add(1, 100, 0)
    expect(meter.add(2, 1, 0)).toBe(false)
  })

  test('of the largest publish are paid off within minutes', () => {
    const meter = new BulkMeter()
    for (let i = 0; i < 10_000; i++) meter.add(1, 100, 0)
    expect(meter.add(1, 1, 300_000)).toBe(false)
  })
})
