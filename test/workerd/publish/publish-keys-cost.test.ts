import { env } from 'cloudflare:workers'
import { beforeEach, expect, test } from 'vitest'
import { createRig, freshStore } from '../../support/rig/builders.ts'
import { meterD1 } from '../../support/rig/d1-watch.ts'

beforeEach(freshStore)

const EVENTS = 1_000
/** The event itself, its key when it is looked up, taken and checked, and the lists they come in. */
const READ_PER_EVENT_MAX = 11

function withOwnIds(round: number) {
  return Array.from({ length: EVENTS }, (_, i) => ({ id: `order-${round}-${i}`, data: { i } }))
}

test('events with ids of their own cost the same however many are stored, and little more than others', async () => {
  const { db, meter } = meterD1(env.DB)
  const rig = await createRig({ db })
  const read: number[] = []
  for (let round = 0; round < 6; round++) {
    const before = meter.rowsRead
    const outcomes = await rig.publish(...withOwnIds(round))
    expect(outcomes.every(({ kind }) => kind === 'accepted')).toBe(true)
    read.push(meter.rowsRead - before)
  }
  expect(Math.min(...read)).toBeGreaterThan(EVENTS)
  expect(Math.max(...read.slice(1))).toBeLessThanOrEqual(EVENTS * READ_PER_EVENT_MAX)
  expect(Math.abs((read[5] ?? 0) - (read[1] ?? 0))).toBeLessThanOrEqual(10)
})
