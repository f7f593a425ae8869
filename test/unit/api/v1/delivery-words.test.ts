import { describe, expect, test } from 'vitest'
import { ATTEMPT_ERRORS } from '../../../../src/api/v1/deliveries/attempt-texts.ts'
import {
  type DeliveryFacts,
  deliveryInWords,
} from '../../../../src/api/v1/deliveries/words/delivery-words.ts'
import { WAITING_REASONS, type WaitingFor } from '../../../../src/subscription/waiting-for.ts'

const NOW = Date.UTC(2026, 10, 2, 12)
const MINUTE = 60_000

const base: DeliveryFacts = {
  state: 'pending',
  skipReason: null,
  isBlocked: false,
  attempts: 0,
  status: null,
  error: null,
  latencyMs: null,
  waitingFor: null,
  nowMs: NOW,
}
const failed = { state: 'failed', attempts: 2, status: 503, error: 'http_status' } as const

function waits(reason: WaitingFor['reason'], inMs?: number): { waitingFor: WaitingFor } {
  return { waitingFor: { reason, untilMs: inMs === undefined ? null : NOW + inMs } }
}

const summaryOf = (facts: Partial<DeliveryFacts>) => deliveryInWords({ ...base, ...facts }).summary
const adviceOn = (facts: Partial<DeliveryFacts>) => deliveryInWords({ ...base, ...facts }).advice

test.each<[string, Partial<DeliveryFacts>]>([
  [
    'Delivered at the first attempt: the receiver answered 200 in 84 ms.',
    { state: 'success', attempts: 1, status: 200, latencyMs: 84 },
  ],
  [
    'Delivered at attempt 3: the receiver answered 204 in 7 ms.',
    { state: 'success', attempts: 3, status: 204, latencyMs: 7 },
  ],
  [
    'Held for 4 min: the receiver answered 503 with Retry-After.',
    { ...failed, ...waits('retry_after', 4 * MINUTE) },
  ],
  ['Held for 4 min: the receiver asked for it with Retry-After.', waits('retry_after', 4 * MINUTE)],
  [
    'Attempt 2 failed: the receiver answered 503. The next follows in 30 min.',
    { ...failed, ...waits('retry', 30 * MINUTE) },
  ],
  [
    "Attempt 1 failed: the receiver's certificate was not accepted. The next follows in 5 s.",
    { ...failed, attempts: 1, status: null, error: 'tls', ...waits('retry', 5_000) },
  ],
  ['Failed for good after 2 attempts: the receiver answered 503.', failed],
  [
    'Failed for good after one attempt: the destination is not allowed.',
    { ...failed, attempts: 1, status: null, error: 'blocked' },
  ],
  [
    'Failed in 2 attempts, and holds those behind it in its order: the receiver answered 503.',
    { ...failed, isBlocked: true },
  ],
  [
    'Attempt 2 failed: the receiver answered 503. Held: the subscription is paused.',
    { ...failed, ...waits('paused') },
  ],
  ['Held for 12 s: 10 faults of the receiver in a row opened the breaker.', waits('breaker', 11_200)],
  ['Held while another delivery tries the receiver again.', waits('breaker')],
  ['Scheduled: leaves in 3 d.', waits('schedule', 71 * 60 * MINUTE)],
  ['Gathers with others in a batch that leaves in 20 s at the latest.', waits('batch', 20_000)],
  ['Waits for the deliveries before it in its order.', waits('order')],
  ['Is about to be attempted.', waits('turn')],
  ['Not delivered: the subscription is disabled.', { state: 'skipped', skipReason: 'disabled' }],
  [
    'Not delivered: the receiver answered 410 Gone, which disabled the subscription.',
    { state: 'skipped', skipReason: 'gone', attempts: 1, status: 410 },
  ],
])('"%s"', (summary, facts) => {
  expect(summaryOf(facts)).toBe(summary)
})

describe('advice', () => {
  test('is given on every error that ends a delivery, and differs between them', () => {
    const all = ATTEMPT_ERRORS.filter((error) => error !== 'http_status')
    const advice = all.map((error) => adviceOn({ ...failed, status: null, error }))
    expect(advice).not.toContain(null)
    expect(new Set(advice).size).toBe(all.length)
  })

  test.each([
    [401, /signature/],
    [404, /path/],
    [413, /too large/],
    [429, /rateLimit/],
    [308, /Redirects/],
    [418, /body/],
    [500, /fault/],
    [202, /response rule/],
  ])('on an answer of %i names what to look at', (status, pattern) => {
    expect(adviceOn({ ...failed, status })).toMatch(pattern)
  })

  test.each([
    ['a success', { state: 'success', attempts: 1, status: 200 }],
    ['what is about to be attempted', waits('turn')],
    ['what a Retry-After holds', { ...failed, ...waits('retry_after', MINUTE) }],
  ] as const)('is not given on %s', (_, facts) => {
    expect(adviceOn(facts)).toBeNull()
  })

  test('on what is paused says how to let it go', () => {
    expect(adviceOn(waits('paused'))).toMatch(/Resume/)
  })
})

test('every reason to wait has a sentence, with and without a time', () => {
  for (const reason of WAITING_REASONS)
    for (const inMs of [undefined, 90 * MINUTE])
      for (const facts of [waits(reason, inMs), { ...failed, ...waits(reason, inMs) }])
        expect(summaryOf(facts)).toMatch(/^[A-Z].*[^.]\.$/)
})
