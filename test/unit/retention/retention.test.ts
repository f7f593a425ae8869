import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type AgedDelivery,
  type AgedEvent,
  chooseEvents,
  firstHourKept,
  OUTSTANDING_KEPT_MS,
  planPurge,
  retentionOf,
  SIZE_AGE_MIN_MS,
  watermarkAfter,
} from '../../../src/retention/retention.ts'

const DAY_MS = 86_400_000
const NOW_MS = Date.UTC(2026, 10, 2)
const UNBOUNDED = { rowsMax: 1_000_000, bytesMax: 1_000_000_000 }

function aged(seq: number, ageMs: number, more: Partial<AgedEvent> = {}): AgedEvent {
  const acceptedAtMs = NOW_MS - ageMs
  return {
    ...{ seq, acceptedAtMs, deliverAtMs: null, ownId: null, bodyKey: null },
    ...{ targets: [], owed: 1, bytes: 100, ...more },
  }
}

function delivery(seq: number, outstanding: boolean): AgedDelivery {
  const common = { endedEarly: false, attempts: 1, kept: false, keptKey: null }
  return { subscriptionNo: 1, seq, outstanding, ...common }
}

const seqs = (events: readonly AgedEvent[]) => events.map(({ seq }) => seq)
const choose = (events: AgedEvent[], choice: Parameters<typeof retentionOf>[0], storedBytes = 0) =>
  chooseEvents(events, retentionOf(choice, storedBytes, NOW_MS), UNBOUNDED)

describe('what may go', () => {
  const ninety = { retentionDays: 90, retentionBytes: null }

  test('an event older than the retention goes, one exactly as old or younger stays', () => {
    const events = [aged(1, 90 * DAY_MS + 1), aged(2, 90 * DAY_MS), aged(3, 1)]
    expect(seqs(choose(events, ninety, 1e12))).toEqual([1])
  })

  test('events go in order: an old one behind a younger one waits for it', () => {
    expect(seqs(choose([aged(1, 1), aged(2, 91 * DAY_MS)], ninety))).toEqual([])
  })

  test('of a workspace over its size the oldest go until it is met, and not one more', () => {
    const events = [1, 2, 3, 4].map((seq) => aged(seq, DAY_MS))
    const choice = { retentionDays: 90, retentionBytes: 1_000 }
    expect(seqs(choose(events, choice, 1_000))).toEqual([])
    expect(seqs(choose(events, choice, 1_001))).toEqual([1])
    expect(seqs(choose(events, choice, 1_200))).toEqual([1, 2])
    expect(seqs(choose(events, choice, 1_201))).toEqual([1, 2, 3])
  })

  test('size alone takes no event of the last quarter of an hour', () => {
    const events = [aged(1, SIZE_AGE_MIN_MS + 1), aged(2, SIZE_AGE_MIN_MS)]
    expect(seqs(choose(events, { retentionDays: 90, retentionBytes: 1 }, 1e9))).toEqual([1])
  })

  test('a step is bounded by rows and by bytes, and takes one event however large', () => {
    const old = retentionOf(ninety, 0, NOW_MS)
    const events = [1, 2, 3].map((seq) => aged(seq, 100 * DAY_MS, { owed: 4, bytes: 50 }))
    const within = (bounds: { rowsMax: number; bytesMax: number }) => seqs(chooseEvents(events, old, bounds))
    expect(within({ rowsMax: 10, bytesMax: 1_000 })).toEqual([1, 2])
    expect(within({ rowsMax: 1_000, bytesMax: 100 })).toEqual([1, 2])
    expect(within({ rowsMax: 1, bytesMax: 1 })).toEqual([1])
  })

  test('hours of statistics are kept as long as the events, and never less than the series of seven days needs', () => {
    const hoursKept = (retentionDays: number) =>
      NOW_MS / 3_600_000 - firstHourKept({ retentionDays, retentionBytes: null }, NOW_MS)
    expect([hoursKept(90), hoursKept(1)]).toEqual([90 * 24, 8 * 24])
  })
})

describe('what is outstanding', () => {
  test('holds its event for seven days, and then ends before it goes', () => {
    const events = [aged(1, OUTSTANDING_KEPT_MS), aged(2, OUTSTANDING_KEPT_MS - 1), aged(3, 1)]
    const deliveries = [delivery(1, true), delivery(2, true), delivery(3, false)]
    const plan = planPurge(events, deliveries, NOW_MS)
    expect([seqs(plan.go), [...plan.held], seqs(plan.expire as never)]).toEqual([[1, 3], [2], [1]])
  })

  test('the seven days of a scheduled event begin when it is to be delivered', () => {
    const event = aged(1, 20 * DAY_MS, { deliverAtMs: NOW_MS - OUTSTANDING_KEPT_MS + 1 })
    expect([...planPurge([event], [delivery(1, true)], NOW_MS).held]).toEqual([1])
    expect(seqs(planPurge([event], [delivery(1, false)], NOW_MS).go)).toEqual([1])
  })

  test('the watermark rises to below the first event that is held', () => {
    const events = [aged(3, 0), aged(5, 0), aged(9, 0)]
    expect(watermarkAfter(events, new Set())).toBe(9)
    expect(watermarkAfter(events, new Set([5, 9]))).toBe(4)
    expect(watermarkAfter(events, new Set([3]))).toBe(2)
  })
})

test('whatever the events: none that is young goes, none goes while its delivery is held, and none is below the watermark', () => {
  const eventsArbitrary = fc.array(
    fc.record({ ageMs: fc.integer({ min: 0, max: 200 * DAY_MS }), open: fc.boolean(), owed: fc.nat(50) }),
    { maxLength: 40 },
  )
  fc.assert(
    fc.property(eventsArbitrary, fc.integer({ min: 1, max: 100 }), fc.nat(3_000), (given, days, excess) => {
      const events = given.map(({ ageMs, owed }, i) => aged(i + 1, ageMs, { owed }))
      const deliveries = given.map(({ open }, i) => delivery(i + 1, open))
      const retention = retentionOf({ retentionDays: days, retentionBytes: 1 }, 1 + excess, NOW_MS)
      const chosen = chooseEvents(events, retention, { rowsMax: 60, bytesMax: 2_000 })
      const { go, held, expire } = planPurge(chosen, deliveries, NOW_MS)
      const watermark = watermarkAfter(chosen, held) ?? 0
      const left = events.filter(({ seq }) => !go.some((event) => event.seq === seq))
      const isYoung = (event: AgedEvent) => event.acceptedAtMs > retention.sizeBeforeMs
      expect(go.some(isYoung)).toBe(false)
      expect(left.every(({ seq }) => seq > watermark)).toBe(true)
      const ended = new Set(expire.map(({ seq }) => seq))
      for (const { seq } of go) expect(given[seq - 1]?.open).toBe(ended.has(seq))
    }),
  )
})
