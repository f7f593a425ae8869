import { describe, expect, test } from 'vitest'
import { nextAttempt, resolvePolicy, retryPolicySchema } from '../../../src/outcome/retry-policy.ts'

const DAY_SECONDS = 86_400
const ACCEPTED_MS = 1_700_000_000_000

const resolved = (policy: unknown, type = 'invoice.paid') =>
  resolvePolicy(retryPolicySchema.parse(policy), type)
const issuesOf = (policy: unknown) =>
  retryPolicySchema
    .safeParse(policy)
    .error?.issues.map(({ path, message }) => ({ path: path.join('.'), message })) ?? []

describe('what the seeds and the design say', () => {
  test.each([
    ['seed 002', { maxRetries: 5, retryDelay: 5, backoffMultiplier: 2 }, [5, 10, 20, 40, 80]],
    ['seed 002, the rest left out', { maxRetries: 3 }, [5, 10, 20]],
    ['seed 002, delay alone', { retryDelay: 1 }, [1, 2, 4, 8, 16]],
    ['seed 002, multiplier alone', { backoffMultiplier: 1 }, [5, 5, 5, 5, 5]],
    ['seed 001', { schedule: [60, 300, 1800] }, [60, 300, 1800]],
    ['seed 003', { schedule: [120, 240, 480] }, [120, 240, 480]],
    ['seed 003 by its rule', { maxRetries: 3, retryDelay: 120 }, [120, 240, 480]],
    ['seed 000', { tries: 3, backoff: [10, 30, 60] }, [10, 30]],
    ['a backoff that is too short', { tries: 5, backoff: [10, 30] }, [10, 30, 30, 30]],
    ['one try', { tries: 1 }, []],
    ['no retries', { maxRetries: 0 }, []],
    ['an empty schedule', { schedule: [] }, []],
    [
      'growth beyond 30 days',
      { maxRetries: 4, retryDelay: 1000, backoffMultiplier: 100 },
      [1000, 100_000, 2_592_000, 2_592_000],
    ],
  ])('%s', (_, policy, expected) => {
    expect(resolved(policy)).toEqual({
      delaysSeconds: expected,
      jitter: 0,
      maxAgeSeconds: null,
      maxRetryAfterSeconds: 86_400,
      retryClientErrors: true,
      maxAttempts: expected.length + 1,
    })
  })

  test.each([
    ['no policy', null],
    ['a policy without delays', {}],
  ])('%s: the default schedule of Standard Webhooks with ±10 % jitter', (_, policy) => {
    expect(resolvePolicy(policy, 'invoice.paid')).toEqual({
      delaysSeconds: [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, DAY_SECONDS],
      jitter: 0.1,
      maxAgeSeconds: null,
      maxRetryAfterSeconds: 86_400,
      retryClientErrors: true,
      maxAttempts: 10,
    })
  })

  test('what is said beside the default schedule is kept', () => {
    const policy = { jitter: 0, maxAgeSeconds: 3600, retryClientErrors: false }
    expect(resolved(policy)).toMatchObject({ ...policy, maxAttempts: 10 })
  })
})

describe('byEvent', () => {
  const policy = {
    schedule: [60],
    maxAgeSeconds: 600,
    retryClientErrors: false,
    byEvent: {
      entry_persisted: { tries: 3, backoff: [10, 30, 60] },
      'order.paid': { jitter: 0.5, maxAgeSeconds: 60, maxRetryAfterSeconds: 9, retryClientErrors: true },
    },
  }

  test('gives a type its own delays and what else the subscription says', () => {
    expect(resolved(policy, 'entry_persisted')).toEqual({
      delaysSeconds: [10, 30],
      jitter: 0,
      maxAgeSeconds: 600,
      maxRetryAfterSeconds: 86_400,
      retryClientErrors: false,
      maxAttempts: 3,
    })
  })

  test('without delays keeps the subscription’s', () => {
    expect(resolved(policy, 'order.paid')).toMatchObject({
      delaysSeconds: [60],
      jitter: 0.5,
      maxAgeSeconds: 60,
      maxRetryAfterSeconds: 9,
      retryClientErrors: true,
    })
  })

  test('leaves other types alone', () => {
    expect(resolved(policy, 'order.paid.late')).toMatchObject({ delaysSeconds: [60], jitter: 0 })
  })

  test.each(['constructor', 'toString', '__proto__'])('does not find %s by inheritance', (type) => {
    expect(resolved(policy, type)).toMatchObject({ delaysSeconds: [60] })
  })

  test('is not nested', () => {
    expect(issuesOf({ byEvent: { a: { byEvent: {} } } })).toEqual([
      { path: 'byEvent.a', message: expect.stringContaining('"byEvent"') },
    ])
  })

  test('names event types', () => {
    expect(issuesOf({ byEvent: { 'a b': { tries: 1 } } })).toMatchObject([{ path: 'byEvent.a b' }])
  })

  test('names at most 100 of them', () => {
    const byEvent = Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`e${n}`, {}]))
    expect(issuesOf({ byEvent })).toEqual([{ path: 'byEvent', message: 'must name at most 100 event types' }])
  })
})

describe('policies that are refused', () => {
  test.each([
    [{ retries: 3 }, '', '"retries"'],
    [{ maxRetries: 101 }, 'maxRetries', '100'],
    [{ maxRetries: 1.5 }, 'maxRetries', 'int'],
    [{ maxRetries: -1 }, 'maxRetries', '0'],
    [{ maxRetries: '3' }, 'maxRetries', 'number'],
    [{ retryDelay: -1 }, 'retryDelay', '0'],
    [{ retryDelay: 2_592_001 }, 'retryDelay', '2592000'],
    [{ retryDelay: Number.NaN }, 'retryDelay', 'number'],
    [{ retryDelay: Number.POSITIVE_INFINITY }, 'retryDelay', 'number'],
    [{ backoffMultiplier: 101 }, 'backoffMultiplier', '100'],
    [{ schedule: Array.from({ length: 101 }, () => 1) }, 'schedule', '100'],
    [{ schedule: [1, -1] }, 'schedule.1', '0'],
    [{ tries: 0, backoff: [1] }, 'tries', '1'],
    [{ tries: 102, backoff: [1] }, 'tries', '101'],
    [{ tries: 3 }, 'backoff', 'is required with "tries"'],
    [{ backoff: [1] }, 'tries', 'is required with "backoff"'],
    [{ tries: 3, backoff: [] }, 'backoff', '1'],
    [{ maxAgeSeconds: 2_592_001 }, 'maxAgeSeconds', '2592000'],
    [{ maxAgeSeconds: 0 }, 'maxAgeSeconds', '1'],
    [{ maxRetryAfterSeconds: -1 }, 'maxRetryAfterSeconds', '0'],
    [{ maxRetryAfterSeconds: 86_401 }, 'maxRetryAfterSeconds', '86400'],
    [{ maxRetryAfterSeconds: null }, 'maxRetryAfterSeconds', 'number'],
    [{ jitter: 1.1 }, 'jitter', '1'],
    [{ jitter: -0.1 }, 'jitter', '0'],
    [{ retryClientErrors: 'no' }, 'retryClientErrors', 'boolean'],
    [{ schedule: [1], tries: 2, backoff: [1] }, 'tries', 'cannot be combined with "schedule"'],
    [{ maxRetries: 3, schedule: [1] }, 'schedule', 'cannot be combined with "maxRetries"'],
    [{ retryDelay: 3, tries: 1 }, 'tries', 'cannot be combined with "retryDelay"'],
    [{ byEvent: { a: { maxRetries: 1, schedule: [1] } } }, 'byEvent.a.schedule', 'cannot be combined'],
  ])('%j', (policy, path, message) => {
    expect(issuesOf(policy)).toEqual([{ path, message: expect.stringContaining(message) }])
  })
})

describe('the next attempt', () => {
  const base = {
    attemptsMade: 1,
    acceptedAtMs: ACCEPTED_MS,
    nowMs: ACCEPTED_MS,
    random: 0.5,
    retryAfterSeconds: null,
  }
  const policy = resolved({ schedule: [60, 300], maxAgeSeconds: 3600 })

  test('is due one delay after the failure, not after the event', () => {
    const nowMs = ACCEPTED_MS + 123
    expect(nextAttempt({ ...base, policy, nowMs })).toEqual({ kind: 'retry', dueAtMs: nowMs + 60_000 })
  })

  test('is refused after the last retry', () => {
    expect(nextAttempt({ ...base, policy, attemptsMade: 3 })).toEqual({
      kind: 'exhausted',
      reason: 'attempts',
    })
  })

  test('may be due at the very end of the delivery’s life, not beyond', () => {
    const nowMs = ACCEPTED_MS + 3_540_000
    expect(nextAttempt({ ...base, policy, nowMs })).toEqual({
      kind: 'retry',
      dueAtMs: ACCEPTED_MS + 3_600_000,
    })
    expect(nextAttempt({ ...base, policy, nowMs: nowMs + 1 })).toEqual({ kind: 'exhausted', reason: 'age' })
  })

  test.each([
    ['longer than the policy’s delay is honoured', 600, 600],
    ['shorter brings nothing forward', 10, 60],
    ['of zero brings nothing forward', 0, 60],
    ['beyond 24 hours is honoured for 24 hours', 1_000_000, DAY_SECONDS],
  ])('a Retry-After %s', (_, retryAfterSeconds, seconds) => {
    const ageless = { ...policy, maxAgeSeconds: null }
    const next = nextAttempt({ ...base, policy: ageless, retryAfterSeconds })
    expect(next).toEqual({ kind: 'retry', dueAtMs: ACCEPTED_MS + seconds * 1000 })
  })

  test.each([
    ['at most so much', { maxRetryAfterSeconds: 90 }, 100_000, 90],
    ['not at all', { maxRetryAfterSeconds: 0 }, 100_000, 60],
    ['as it is below', { maxRetryAfterSeconds: 90 }, 70, 70],
  ])('a policy may let a Retry-After count for %s', (_, limit, retryAfterSeconds, seconds) => {
    const limited = resolved({ schedule: [60], ...limit })
    const next = nextAttempt({ ...base, policy: limited, retryAfterSeconds })
    expect(next).toEqual({ kind: 'retry', dueAtMs: ACCEPTED_MS + seconds * 1000 })
  })

  test('a Retry-After beyond the delivery’s life ends it', () => {
    expect(nextAttempt({ ...base, policy, retryAfterSeconds: 3601 })).toEqual({
      kind: 'exhausted',
      reason: 'age',
    })
  })

  test.each([
    [0, 54],
    [0.5, 60],
    [0.999_999_999, 66],
  ])('with jitter 0.1 and random %d is due after %i s', (random, seconds) => {
    const next = nextAttempt({ ...base, policy: { ...policy, jitter: 0.1 }, random })
    expect(next).toEqual({ kind: 'retry', dueAtMs: ACCEPTED_MS + seconds * 1000 })
  })

  test('with jitter stays within 30 days', () => {
    const longest = { ...resolved({ schedule: [2_592_000] }), jitter: 1 }
    const next = nextAttempt({ ...base, policy: longest, random: 0.9 })
    expect(next).toEqual({ kind: 'retry', dueAtMs: ACCEPTED_MS + 2_592_000_000 })
  })
})
