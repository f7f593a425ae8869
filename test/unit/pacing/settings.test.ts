import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import {
  type BatchSettings,
  batchSettingsInputSchema,
  batchSettingsSchema,
  concurrencySchema,
  mergeBatchSettings,
  onExhaustedSchema,
  orderedSchema,
  orderingKeySchema,
  PACING_LEVELS,
  type PacingSettings,
  pacerTermsOf,
  pacesSame,
  pacingLevelOf,
  rateLimitSchema,
  UNPACED,
} from '../../../src/pacing/settings.ts'

const DEFAULTS: BatchSettings = {
  enabled: true,
  maxEvents: 100,
  maxWaitTime: 30,
  maxBytes: 1_000_000,
  flushOnEvent: [],
}
const BATCH: BatchSettings = {
  enabled: true,
  maxEvents: 7,
  maxWaitTime: 8,
  maxBytes: 9000,
  flushOnEvent: ['a'],
}
const OFF = { ...BATCH, enabled: false }
const RATE = { requests: 100, perSeconds: 60 }
const FULL: PacingSettings = {
  batchSettings: BATCH,
  ordered: true,
  orderingKey: 'data.id',
  onExhausted: 'skip',
  rateLimit: RATE,
  concurrency: 3,
}

/** All that is said of a value, by path; empty when it is taken. */
function refusals(schema: z.ZodType, value: unknown): string[] {
  const parsed = schema.safeParse(value)
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
}

const EVENTS = 'must be a whole number, 1-1,000'
const WAIT = 'must be whole seconds, 1-300'
const BYTES = 'must be whole bytes, 1,000-5,000,000'
const REQUESTS = 'must be a whole number, 1-100,000'
const SECONDS = 'must be whole seconds, 1-3,600'
const CONCURRENCY = 'must be a whole number, 1-100'

describe('bounds:', () => {
  test.each<[string, z.ZodType, number, number, string]>([
    ['maxEvents', batchSettingsInputSchema.shape.maxEvents, 1, 1000, EVENTS],
    ['maxWaitTime', batchSettingsInputSchema.shape.maxWaitTime, 1, 300, WAIT],
    ['maxBytes', batchSettingsInputSchema.shape.maxBytes, 1000, 5_000_000, BYTES],
    ['requests', rateLimitSchema.shape.requests, 1, 100_000, REQUESTS],
    ['perSeconds', rateLimitSchema.shape.perSeconds, 1, 3600, SECONDS],
    ['concurrency', concurrencySchema, 1, 100, CONCURRENCY],
  ])(
    '%s is a whole number within them, and all else is refused once, with the bounds',
    (_, schema, min, max, message) => {
      const refused = [`: ${message}`]
      expect(refusals(schema, min)).toEqual([])
      expect(refusals(schema, max)).toEqual([])
      for (const bad of [
        min - 1,
        max + 1,
        -1,
        0.5,
        min + 0.5,
        2 ** 53,
        1e300,
        Number.POSITIVE_INFINITY,
        '1',
        true,
        [],
        {},
      ])
        expect(refusals(schema, bad), String(bad)).toEqual(refused)
    },
  )

  test('a rate needs both of its numbers, and batching none', () => {
    expect(refusals(rateLimitSchema, {})).toEqual([`requests: ${REQUESTS}`, `perSeconds: ${SECONDS}`])
    expect(refusals(batchSettingsInputSchema, {})).toEqual([])
  })

  test.each<[string, z.ZodType, unknown, string]>([
    [
      'batchSettings',
      batchSettingsInputSchema,
      true,
      ': must be an object of "enabled", "maxEvents", "maxWaitTime", "maxBytes" and "flushOnEvent"',
    ],
    ['enabled', batchSettingsInputSchema, { enabled: 'yes' }, 'enabled: must be true or false'],
    [
      'flushOnEvent',
      batchSettingsInputSchema,
      { flushOnEvent: 'a' },
      'flushOnEvent: must be a list of event types',
    ],
    [
      '51 flush events',
      batchSettingsInputSchema,
      { flushOnEvent: Array.from({ length: 51 }, () => 'a') },
      'flushOnEvent: must name at most 50 event types',
    ],
    ['rateLimit', rateLimitSchema, 5, ': must be an object of "requests" and "perSeconds"'],
    ['ordered', orderedSchema, 1, ': must be true or false'],
    ['onExhausted', onExhaustedSchema, 'stop', ': must be "block" or "skip"'],
  ])('%s says what it may be', (_, schema, value, message) => {
    expect(refusals(schema, value)).toEqual([message])
  })

  test.each(['a..b', 'a b', '*.a', 'a*', ''])(
    'a flush event %j, outside the grammar, is refused by its place',
    (type) => {
      expect(refusals(batchSettingsInputSchema, { flushOnEvent: ['a', type] })).toEqual([
        expect.stringMatching(/^flushOnEvent\.1: must be an event type, "prefix\.\*" or "\*"/),
      ])
    },
  )

  test.each(['', '.', 'a..b', 'a.', 5, null])('an ordering key %j is refused as a path', (path) => {
    expect(refusals(orderingKeySchema, path)).toEqual([expect.stringMatching(/^: must be a path such as/)])
  })

  test('an unknown member of either is refused', () => {
    expect(batchSettingsInputSchema.safeParse({ maxEvent: 1 }).success).toBe(false)
    expect(rateLimitSchema.safeParse({ ...RATE, burst: 1 }).success).toBe(false)
  })
})

describe('batching after a change', () => {
  test.each<[string, BatchSettings | null, Parameters<typeof mergeBatchSettings>[1], BatchSettings | null]>([
    ['nothing was there and nothing is named', null, undefined, null],
    ['nothing is named', BATCH, undefined, BATCH],
    ['null is named', BATCH, null, null],
    ['there was none: the rest has defaults', null, { maxEvents: 5 }, { ...DEFAULTS, maxEvents: 5 }],
    ['there was none, nothing inside', null, {}, DEFAULTS],
    ['there was none, and it is to stay off', null, { enabled: false }, { ...DEFAULTS, enabled: false }],
    ['it is switched off: the limits stay', BATCH, { enabled: false }, OFF],
    ['it is switched on again: the limits are back', OFF, { enabled: true }, BATCH],
    ['one limit is named: it stays off', OFF, { maxEvents: 5 }, { ...OFF, maxEvents: 5 }],
    ['an empty list is named', BATCH, { flushOnEvent: [] }, { ...BATCH, flushOnEvent: [] }],
    ['everything is named', BATCH, DEFAULTS, DEFAULTS],
  ])('%s', (_, current, given, expected) => {
    expect(mergeBatchSettings(current, given)).toEqual(expected)
  })

  test('off and on again is as if nothing had been said, whatever the limits', () => {
    const settings = fc.record({
      enabled: fc.constant(true),
      maxEvents: fc.integer({ min: 1, max: 1000 }),
      maxWaitTime: fc.integer({ min: 1, max: 300 }),
      maxBytes: fc.integer({ min: 1000, max: 5_000_000 }),
      flushOnEvent: fc.array(fc.constantFrom('a', 'a.*', '*'), { maxLength: 50 }),
    })
    fc.assert(
      fc.property(settings, (batch) => {
        const off = mergeBatchSettings(batch, { enabled: false })
        expect(mergeBatchSettings(off, { enabled: true })).toEqual(batch)
        expect(batchSettingsSchema.parse(off)).toEqual({ ...batch, enabled: false })
      }),
    )
  })
})

test('levels are stored by their number', () => {
  expect(PACING_LEVELS).toEqual(['none', 'ordered', 'limited'])
})

describe('a subscription is held back', () => {
  test.each<[string, Partial<PacingSettings>, string]>([
    ['not at all without settings', {}, 'none'],
    ['not at all by batching that is off', { batchSettings: OFF }, 'none'],
    ['not at all by what becomes of exhausted ones', { onExhausted: 'skip' }, 'none'],
    ['by its order', { ordered: true }, 'ordered'],
    ['by its order, batching being off', { ordered: true, batchSettings: OFF }, 'ordered'],
    ['by a pacer for batches', { batchSettings: BATCH }, 'limited'],
    ['by a pacer for a rate', { rateLimit: RATE }, 'limited'],
    ['by a pacer for requests at once', { concurrency: 1 }, 'limited'],
    ['by a pacer for any of them in order', { ordered: true, concurrency: 1 }, 'limited'],
  ])('%s', (_, settings, level) => {
    expect(pacingLevelOf({ ...UNPACED, ...settings })).toBe(level)
  })
})

describe('publishes', () => {
  const NO_BATCH = { ...FULL, batchSettings: null }

  test.each<[string, PacingSettings, Partial<PacingSettings>]>([
    [
      'the limits of a batch',
      FULL,
      { batchSettings: { ...BATCH, maxEvents: 1, maxWaitTime: 1, maxBytes: 1000 } },
    ],
    ['a rate beside batching', FULL, { rateLimit: null }],
    ['another number at once', FULL, { concurrency: 5 }],
    ['what becomes of exhausted ones', FULL, { onExhausted: 'block' }],
    [
      'flush events of batching that is off',
      { ...FULL, batchSettings: OFF },
      { batchSettings: { ...OFF, flushOnEvent: [] } },
    ],
    ['an ordering key without an order', { ...FULL, ordered: false }, { orderingKey: null }],
  ])('do not depend on %s', (_, settings, change) => {
    expect(pacesSame(settings, { ...settings, ...change })).toBe(true)
  })

  test.each<[string, PacingSettings, Partial<PacingSettings>]>([
    ['order by one key for all', { ...FULL, orderingKey: null }, { ordered: false }],
    ['order', FULL, { ordered: false }],
    ['the ordering key', FULL, { orderingKey: 'data.other' }],
    ['flush events', FULL, { batchSettings: { ...BATCH, flushOnEvent: ['b'] } }],
    ['batching that flushes', FULL, { batchSettings: OFF }],
    ['the last of what is metered', { ...NO_BATCH, concurrency: null }, { rateLimit: null }],
    ['the first of what is metered', { ...NO_BATCH, concurrency: null, rateLimit: null }, { concurrency: 1 }],
  ])('depend on %s', (_, settings, change) => {
    expect(pacesSame(settings, { ...settings, ...change })).toBe(false)
    expect(pacesSame({ ...settings, ...change }, settings)).toBe(false)
  })
})

describe('a pacer’s terms', () => {
  test('hold the limits in force, times in milliseconds', () => {
    const batch = { maxEvents: 7, maxBytes: 9000, maxWaitMs: 8000 }
    expect(pacerTermsOf({ settings: FULL, version: 4 })).toEqual({
      version: 4,
      batch,
      rate: RATE,
      concurrency: 3,
    })
  })

  test.each([[null], [OFF]])('have no batch for %j', (batchSettings) => {
    expect(pacerTermsOf({ settings: { ...UNPACED, batchSettings }, version: 1 })).toEqual({
      ...{ version: 1, batch: null, rate: null, concurrency: null },
    })
  })
})
