import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  replayEventSchema,
  replaySubscriptionSchema,
  selectionOf,
} from '../../../src/api/v1/replays/replay-request.ts'
import type { DeliveryState } from '../../../src/model/delivery.ts'
import {
  type ReplayCandidate,
  type ReplayScope,
  type ReplaySelection,
  replayScopeSchema,
  replayVerdict,
  walkOf,
} from '../../../src/replay/replay.ts'

const selection = (change: Partial<ReplaySelection> = {}): ReplaySelection => ({
  ...{ kind: 'subscription', statuses: ['failed'], events: null, acceptedFromMs: null, acceptedToMs: null },
  ...{ backfill: false, ratePerSecond: null },
  ...change,
})
const eventScope: ReplayScope = { kind: 'event', seq: 7, eventId: 'evt', webhooks: null }
const deliveryScope: ReplayScope = { kind: 'delivery', seq: 7, eventId: 'evt' }

const candidate = (change: Partial<ReplayCandidate> = {}): ReplayCandidate => ({
  ...{ position: 7, subscriptionNo: 1, seq: 7, type: 'invoice.paid', acceptedAtMs: 1_000 },
  ...{ isTest: false, isDispatch: false, isStopped: false, row: null, fanout: null, contentChars: 0 },
  ...change,
})
const row = (state: DeliveryState, hasEnded = true, replayNo: number | null = null) => ({
  row: { state, hasEnded, replayNo },
  fanout: 'owed' as const,
})

describe('the body of POST /webhooks/{id}/replay', () => {
  test('asks for ended failures when it says nothing', () => {
    expect(selectionOf(replaySubscriptionSchema.parse({}))).toEqual(selection())
  })

  test.each([
    ['failed', ['failed']],
    ['success', ['success']],
    [
      ['skipped', 'failed', 'skipped'],
      ['skipped', 'failed'],
    ],
  ])('takes a status, or a list of them: %j', (status, statuses) => {
    expect(selectionOf(replaySubscriptionSchema.parse({ status })).statuses).toEqual(statuses)
  })

  test('takes dates as the log does: a day is all of it', () => {
    const request = replaySubscriptionSchema.parse({ dateFrom: '2026-01-01', dateTo: '2026-01-01' })
    const { acceptedFromMs, acceptedToMs } = selectionOf(request)
    expect([acceptedFromMs, acceptedToMs]).toEqual([Date.UTC(2026, 0, 1), Date.UTC(2026, 0, 2) - 1])
  })

  test('may name no status where it back-fills', () => {
    expect(selectionOf(replaySubscriptionSchema.parse({ status: [], backfill: true })).statuses).toEqual([])
  })

  test.each([
    [{ status: 'pending' }, 'status', /must be "failed", "skipped" or "success"/],
    [{ status: ['failed', 'lost'] }, 'status', /must be "failed", "skipped" or "success"/],
    [{ status: [] }, 'status', /must name at least one status/],
    [{ events: ['a..b'] }, 'events.0', /must be an event type/],
    [{ events: [] }, 'events', /must name at least one event type/],
    [{ dateFrom: 'yesterday' }, 'dateFrom', /must be a date/],
    [{ dateFrom: '2026-02-01', dateTo: '2026-01-01' }, 'dateTo', /must not be before dateFrom/],
    [{ ratePerSecond: 0 }, 'ratePerSecond', /must be 1-1000/],
    [{ ratePerSecond: 1001 }, 'ratePerSecond', /must be 1-1000/],
    [{ ratePerSecond: 1.5 }, 'ratePerSecond', /must be 1-1000/],
    [{ backfill: 'yes' }, 'backfill', /boolean/],
    [{ dryRun: 1 }, 'dryRun', /boolean/],
  ])('refuses %j by naming %s', (body, path, message) => {
    const { error } = replaySubscriptionSchema.safeParse(body)
    expect(error?.issues.map((issue) => issue.path.join('.'))).toEqual([path])
    expect(error?.issues[0]?.message).toMatch(message)
  })

  test('refuses fields it does not know', () => {
    expect(replaySubscriptionSchema.safeParse({ state: 'failed' }).success).toBe(false)
  })
})

test.each([
  [{ webhooks: [] }, 'webhooks', /must name 1-100 webhooks/],
  [{ webhooks: Array.from({ length: 101 }, () => 'w') }, 'webhooks', /must name 1-100 webhooks/],
  [{ webhooks: ['w'.repeat(129)] }, 'webhooks.0', /must be the id of a webhook/],
])('the body of POST /events/{id}/replay is refused by field: %#', (body, path, message) => {
  const { error } = replayEventSchema.safeParse(body)
  expect(error?.issues.map((issue) => issue.path.join('.'))).toEqual([path])
  expect(error?.issues[0]?.message).toMatch(message)
})

test.each([
  selection({ events: ['a.*'], acceptedFromMs: 1, acceptedToMs: 2, backfill: true, ratePerSecond: 5 }),
  eventScope,
  { ...eventScope, webhooks: [{ id: 'webhook_1', no: 1 }] },
  deliveryScope,
])('a scope is read back from its JSON as it was: %#', (scope) => {
  expect(replayScopeSchema.parse(JSON.parse(JSON.stringify(scope)))).toEqual(scope)
})

test.each([
  [selection(), 'failures'],
  [selection({ statuses: ['failed', 'success'] }), 'rows'],
  [selection({ statuses: ['skipped'] }), 'events'],
  [selection({ statuses: ['success'], backfill: true }), 'events'],
  [eventScope, 'subscriptions'],
  [deliveryScope, 'rows'],
] as const)('%j walks along %s', (scope, walk) => {
  expect(walkOf(scope)).toBe(walk)
})

describe('a delivery with a row', () => {
  test.each(['failed', 'skipped', 'success'] as const)(
    'is made again when it ended as named: %s',
    (state) => {
      expect(replayVerdict(candidate(row(state)), selection({ statuses: [state] }), 1)).toBe('again')
      const others = (['failed', 'skipped', 'success'] as const).filter((other) => other !== state)
      expect(replayVerdict(candidate(row(state)), selection({ statuses: others }), 1)).toBeNull()
    },
  )

  test('is left to its retries while it has any', () => {
    expect(replayVerdict(candidate(row('failed', false)), selection(), 1)).toBeNull()
    expect(replayVerdict(candidate(row('failed', false)), deliveryScope, 1)).toBeNull()
  })

  test('is made again by another replay, and never twice by the same', () => {
    expect(replayVerdict(candidate(row('failed', true, 1)), selection(), 1)).toBeNull()
    expect(replayVerdict(candidate(row('failed', true, 1)), selection(), 2)).toBe('again')
    expect(replayVerdict(candidate(row('failed', true, 1)), selection(), null)).toBe('again')
  })

  test.each([eventScope, deliveryScope])(
    'is made again whatever it ended as when asked for by itself',
    (scope) => {
      const verdicts = (['failed', 'skipped', 'success'] as const).map((state) =>
        replayVerdict(candidate(row(state)), scope, 1),
      )
      expect(verdicts).toEqual(['again', 'again', 'again'])
    },
  )

  test('of a test is left out of a selection, and made again when asked for by itself', () => {
    const test = candidate({ ...row('failed'), isTest: true })
    expect(replayVerdict(test, selection(), 1)).toBeNull()
    expect(replayVerdict(test, deliveryScope, 1)).toBe('again')
  })
})

describe('an event without a row', () => {
  test('that is owed has its first attempt ahead', () => {
    for (const scope of [selection({ statuses: ['skipped'], backfill: true }), eventScope])
      expect(replayVerdict(candidate({ fanout: 'owed' }), scope, 1)).toBeNull()
  })

  test('that went by while the subscription was disabled counts as skipped', () => {
    const passed = candidate({ fanout: 'passed_by' })
    expect(replayVerdict(passed, selection({ statuses: ['skipped'] }), 1)).toBe('new')
    expect(replayVerdict(passed, eventScope, 1)).toBe('new')
    expect(replayVerdict(passed, selection({ backfill: true }), 1)).toBeNull()
  })

  test('that was never owed is for a back-fill only, and never for one event', () => {
    expect(replayVerdict(candidate(), selection({ backfill: true }), 1)).toBe('new_if_wanted')
    expect(replayVerdict(candidate(), selection({ statuses: ['skipped'] }), 1)).toBeNull()
    expect(replayVerdict(candidate(), eventScope, 1)).toBeNull()
  })

  test.each([{ isTest: true }, { isDispatch: true }])(
    'was meant for one target: %j is not back-filled',
    (change) => {
      expect(replayVerdict(candidate(change), selection({ backfill: true }), 1)).toBeNull()
    },
  )
})

describe('a selection', () => {
  const failed = row('failed')

  test('takes its event patterns only', () => {
    const scope = selection({ events: ['invoice.*'] })
    expect(replayVerdict(candidate(failed), scope, 1)).toBe('again')
    expect(replayVerdict(candidate({ ...failed, type: 'order.paid' }), scope, 1)).toBeNull()
  })

  test.each([
    [{ acceptedFromMs: 1_000 }, 'again'],
    [{ acceptedFromMs: 1_001 }, null],
    [{ acceptedToMs: 1_000 }, 'again'],
    [{ acceptedToMs: 999 }, null],
  ] as const)('takes its dates exactly, both inclusive: %j', (dates, verdict) => {
    expect(replayVerdict(candidate(failed), selection(dates), 1)).toBe(verdict)
  })
})

test('nothing is made of an event that is gone, was cancelled or erased', () => {
  const scopes: ReplayScope[] = [
    selection({ statuses: ['failed', 'skipped', 'success'], backfill: true }),
    eventScope,
    deliveryScope,
  ]
  const rows = fc.option(
    fc.record({
      state: fc.constantFrom<DeliveryState>('pending', 'success', 'failed', 'skipped'),
      hasEnded: fc.boolean(),
      replayNo: fc.option(fc.nat(3)),
    }),
  )
  const fanouts = fc.constantFrom('owed' as const, 'passed_by' as const, null)
  fc.assert(
    fc.property(fc.constantFrom(...scopes), rows, fanouts, fc.boolean(), (scope, known, fanout, isGone) => {
      const stopped = isGone ? { acceptedAtMs: null } : { isStopped: true }
      expect(replayVerdict(candidate({ row: known, fanout, ...stopped }), scope, 1)).toBeNull()
    }),
  )
})
