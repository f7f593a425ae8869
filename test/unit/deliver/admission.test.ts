import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { admissionOf, type Wish } from '../../../src/deliver/admission.ts'
import type { StoredEvent } from '../../../src/model/delivery.ts'
import { CLOSED_BREAKER } from '../../../src/receiver/breaker.ts'

const NOW_MS = 1_700_000_000_000
type Receiver = Parameters<typeof admissionOf>[0]

const receiver = (change: Partial<Receiver> & { expiresAfterSeconds?: number } = {}): Receiver => {
  const { expiresAfterSeconds = null, ...rest } = change
  return {
    ...{ active: true, disabledReason: null, deletedAtMs: null, pausedAtMs: null, breaker: CLOSED_BREAKER },
    settings: { expiresAfterSeconds } as Receiver['settings'],
    ...rest,
  }
}

const event = (change: Partial<StoredEvent> = {}): StoredEvent => ({
  ...{ workspaceNo: 1, seq: 1, type: 'a', acceptedAtMs: NOW_MS - 60_000, ownId: null, isTest: false },
  ...{ isDispatch: false, deliverAtMs: null, expiresAfterSeconds: null, cancelledAtMs: null },
  ...{ erasedAtMs: null, body: '{}', bodyKey: null },
  ...change,
})

const decide = (who: Receiver, what: StoredEvent, wish: Wish = 'event') =>
  admissionOf(who, what, { wish, nowMs: NOW_MS })

const ATTEMPT = { kind: 'attempt', probe: false }
const skip = (reason: string) => ({ kind: 'skip', reason })
const DISABLED = { active: false, disabledReason: 'failing' } as const
const GONE = { active: false, disabledReason: 'gone' } as const
const PAUSED = { pausedAtMs: NOW_MS - 1 }
const OPEN = { breaker: { faultsInRow: 10, heldUntilMs: NOW_MS + 1, throttledUntilMs: 0 } }
const HALF_OPEN = { breaker: { ...OPEN.breaker, heldUntilMs: NOW_MS } }
const THROTTLED = { breaker: { ...CLOSED_BREAKER, throttledUntilMs: NOW_MS + 1 } }
const EXPIRED = { expiresAfterSeconds: 59 }
const LATER = { deliverAtMs: NOW_MS + 1 }

describe('of an event', () => {
  test.each<[string, Receiver, StoredEvent, object]>([
    ['nothing in the way', receiver(), event(), ATTEMPT],
    ['deleted', receiver({ deletedAtMs: 1 }), event(), skip('deleted')],
    ['deleted while disabled', receiver({ deletedAtMs: 1, ...GONE }), event(), skip('deleted')],
    ['disabled', receiver(DISABLED), event(), skip('disabled')],
    ['gone', receiver(GONE), event(), skip('gone')],
    ['cancelled', receiver(), event({ cancelledAtMs: 1 }), skip('cancelled')],
    ['erased', receiver(), event({ erasedAtMs: 1 }), skip('cancelled')],
    ['expired by the event', receiver(), event(EXPIRED), skip('expired')],
    ['expired by the subscription', receiver(EXPIRED), event(), skip('expired')],
    ['on its last moment', receiver(), event({ expiresAfterSeconds: 60 }), ATTEMPT],
    ['expired while paused', receiver({ ...PAUSED, ...EXPIRED }), event(), skip('expired')],
    ['scheduled', receiver(), event(LATER), { kind: 'later', dueAtMs: NOW_MS + 1 }],
    ['scheduled for now', receiver(), event({ deliverAtMs: NOW_MS }), ATTEMPT],
    ['scheduled while paused', receiver(PAUSED), event(LATER), { kind: 'later', dueAtMs: NOW_MS + 1 }],
    ['paused', receiver(PAUSED), event(), { kind: 'held' }],
    ['behind an open breaker', receiver(OPEN), event(), { kind: 'held' }],
    ['behind a Retry-After', receiver(THROTTLED), event(), { kind: 'held' }],
    ['behind a half-open breaker', receiver(HALF_OPEN), event(), { kind: 'attempt', probe: true }],
  ])('%s', (_, who, what, expected) => {
    expect(decide(who, what)).toEqual(expected)
  })
})

describe('that a person asks for', () => {
  test.each<[string, Receiver, StoredEvent]>([
    ['a pause', receiver(PAUSED), event()],
    ['an open breaker', receiver(OPEN), event()],
    ['a half-open one, without being its probe', receiver(HALF_OPEN), event()],
    ['a Retry-After', receiver(THROTTLED), event()],
    ['a schedule', receiver(), event(LATER)],
    ['its expiry', receiver(), event(EXPIRED)],
  ])('passes %s', (_, who, what) => {
    expect(decide(who, what, 'person')).toEqual(ATTEMPT)
  })

  test('a test passes them too, and a disabled subscription besides', () => {
    for (const change of [PAUSED, OPEN, THROTTLED, DISABLED])
      expect(decide(receiver(change), event({ isTest: true, ...LATER }))).toEqual(ATTEMPT)
  })
})

test('a replay passes its expiry and nothing else', () => {
  expect(decide(receiver(), event(EXPIRED), 'replay')).toEqual(ATTEMPT)
  expect(decide(receiver(PAUSED), event(EXPIRED), 'replay')).toEqual({ kind: 'held' })
  expect(decide(receiver(), event(LATER), 'replay')).toMatchObject({ kind: 'later' })
})

test('whoever asks, nothing goes to a deleted subscription, and nothing of a cancelled or erased event to anybody', () => {
  const wish = fc.constantFrom<Wish>('event', 'replay', 'person')
  const time = fc.option(fc.integer({ min: NOW_MS - 5, max: NOW_MS + 5 }))
  const ended = fc.constantFrom('deletedAtMs', 'cancelledAtMs', 'erasedAtMs')
  fc.assert(
    fc.property(wish, time, time, fc.boolean(), ended, (who, pausedAtMs, deliverAtMs, isTest, end) => {
      const subscription = receiver({ pausedAtMs, ...(end === 'deletedAtMs' && { deletedAtMs: 1 }) })
      const published = event({ deliverAtMs, isTest, ...(end !== 'deletedAtMs' && { [end]: 1 }) })
      expect(decide(subscription, published, who).kind).toBe('skip')
    }),
  )
})
