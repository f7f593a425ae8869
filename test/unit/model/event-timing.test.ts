import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  DELIVER_AHEAD_SECONDS_MAX,
  deliverAtRefusal,
  deliverAtSchema,
  EXPIRY_SECONDS_MAX,
  expiresAfterSecondsSchema,
  expiryOf,
  isExpired,
  waitsUntil,
} from '../../../src/model/event-timing.ts'

const NOW_MS = 1_700_000_000_000
const PLAIN = { acceptedAtMs: NOW_MS, deliverAtMs: null, expiresAfterSeconds: null }
const NEVER = { expiresAfterSeconds: null }

describe('expiresAfterSeconds', () => {
  test.each([1, EXPIRY_SECONDS_MAX])('may be %i', (seconds) => {
    expect(expiresAfterSecondsSchema.parse(seconds)).toBe(seconds)
  })

  test.each([0, -1, 1.5, EXPIRY_SECONDS_MAX + 1, '60', Number.NaN])('cannot be %j', (seconds) => {
    expect(expiresAfterSecondsSchema.safeParse(seconds).error?.issues).toMatchObject([
      { message: 'must be 1-2592000 whole seconds (30 days)' },
    ])
  })
})

describe('deliverAt', () => {
  test.each([
    ['2024-01-15T10:30:00Z', Date.UTC(2024, 0, 15, 10, 30)],
    ['2024-01-15T10:30:00.250+02:00', Date.UTC(2024, 0, 15, 8, 30, 0, 250)],
  ])('%s is read', (text, ms) => {
    expect(deliverAtSchema.parse(text)).toBe(ms)
  })

  test.each(['2024-01-15', '2024-01-15T10:30:00', 'tomorrow', 1_700_000_000_000, '2024-02-30T10:30:00Z'])(
    '%j is refused',
    (given) => {
      expect(deliverAtSchema.safeParse(given).error?.issues).toMatchObject([
        { message: expect.stringContaining('must be an ISO 8601 date and time with a time zone') },
      ])
    },
  )

  test('is a whole number of milliseconds for whatever the schema takes', () => {
    const date = fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true })
    const fraction = fc.constantFrom('', '.1', '.25', '.123456789')
    const zone = fc.constantFrom('Z', '+00:00', '-11:30', '+14:00')
    fc.assert(
      fc.property(date, fraction, zone, (day, part, offset) => {
        const parsed = deliverAtSchema.safeParse(day.toISOString().slice(0, 19) + part + offset)
        expect(parsed.success && Number.isInteger(parsed.data)).toBe(true)
      }),
    )
  })

  test('may be 30 days ahead, or in the past, which means now', () => {
    const farthestMs = NOW_MS + DELIVER_AHEAD_SECONDS_MAX * 1000
    expect(deliverAtRefusal(farthestMs, NOW_MS)).toBeNull()
    expect(deliverAtRefusal(0, NOW_MS)).toBeNull()
    expect(deliverAtRefusal(farthestMs + 1, NOW_MS)).toContain('at most 30 days ahead')
  })

  test.each([
    ['none', null, null],
    ['past', NOW_MS - 1, null],
    ['now', NOW_MS, null],
    ['ahead', NOW_MS + 1, NOW_MS + 1],
  ])('%s', (_, deliverAtMs, untilMs) => {
    expect(waitsUntil({ deliverAtMs }, NOW_MS)).toBe(untilMs)
  })
})

describe('expiry', () => {
  test.each([
    ['is none where nobody asked for it', {}, null, null],
    ['is the event’s', { expiresAfterSeconds: 60 }, null, 60],
    ['is the subscription’s', {}, 90, 90],
    ['is the shorter one', { expiresAfterSeconds: 60 }, 90, 60],
    ['is the shorter one, the other way round', { expiresAfterSeconds: 90 }, 60, 60],
    ['counts from deliverAt', { deliverAtMs: NOW_MS + 5000 }, 60, 65],
    ['counts from acceptance where deliverAt had passed', { deliverAtMs: NOW_MS - 5000 }, 60, 60],
  ])('%s', (_, event, own, seconds) => {
    const expiryMs = expiryOf({ ...PLAIN, ...event }, { expiresAfterSeconds: own })
    expect(expiryMs).toBe(seconds === null ? null : NOW_MS + seconds * 1000)
  })

  test('comes after the last millisecond that was allowed', () => {
    const expiryMs = expiryOf({ ...PLAIN, expiresAfterSeconds: 1 }, NEVER)
    expect([1000, 1001].map((ms) => isExpired(expiryMs, NOW_MS + ms))).toEqual([false, true])
    expect(isExpired(null, Number.MAX_SAFE_INTEGER)).toBe(false)
  })

  test('never comes before the delivery may first be made', () => {
    const seconds = fc.option(fc.integer({ min: 1, max: EXPIRY_SECONDS_MAX }))
    const deliverAtMs = fc.option(fc.integer({ min: NOW_MS - 1e9, max: NOW_MS + 1e9 }))
    fc.assert(
      fc.property(seconds, seconds, deliverAtMs, (ofEvent, ofSubscription, due) => {
        const event = { ...PLAIN, expiresAfterSeconds: ofEvent, deliverAtMs: due }
        const expiryMs = expiryOf(event, { expiresAfterSeconds: ofSubscription })
        expect(isExpired(expiryMs, waitsUntil(event, NOW_MS) ?? NOW_MS)).toBe(false)
      }),
    )
  })
})
