import { describe, expect, test } from 'vitest'
import { classify } from '../../../src/outcome/classify.ts'
import { policyInForce, retryDefaultsOf, timeoutSecondsOf } from '../../../src/outcome/profile-defaults.ts'
import { type RetryPolicy, resolvePolicy } from '../../../src/outcome/retry-policy.ts'
import type { Profile } from '../../../src/shape/profile.ts'

const resolved = (profile: Profile, policy: RetryPolicy | null = null) =>
  resolvePolicy(policy, 'a.b', retryDefaultsOf(profile))

describe('a subscription without a policy retries as the document of its profile says', () => {
  test.each<[Profile, number[], number | null]>([
    ['core', [60, 300, 1800], null],
    ['bigledger', [5, 10, 20, 40, 80], 86_400],
    ['ledgerly', [10, 30], null],
    ['marko', [120, 240, 480], null],
  ])('%s', (profile, delaysSeconds, maxAgeSeconds) => {
    expect(resolved(profile)).toMatchObject({ delaysSeconds, maxAgeSeconds, jitter: 0 })
  })

  test.each<Profile>(['standard', 'standard-webhooks', 'cloudevents', 'custom'])(
    '%s, by the schedule of Standard Webhooks',
    (profile) => {
      const { delaysSeconds, jitter } = resolved(profile)
      expect([delaysSeconds.length, delaysSeconds[0], jitter]).toEqual([9, 5, 0.1])
    },
  )
})

test('a policy of its own replaces that of the profile, its age limit included', () => {
  expect(resolved('bigledger', { schedule: [1] })).toMatchObject({ delaysSeconds: [1], maxAgeSeconds: null })
})

test('a policy without delays keeps those of the profile', () => {
  expect(resolved('core', { maxAgeSeconds: 600 })).toMatchObject({
    delaysSeconds: [60, 300, 1800],
    maxAgeSeconds: 600,
  })
})

describe('under ledgerly every client error is final', () => {
  test.each([400, 404, 408, 425, 429])('%d', (status) => {
    expect(classify({ status }, resolved('ledgerly'))).toEqual({ kind: 'final' })
  })

  test.each([400, 408, 429])('but %d is retried where the subscription asks for it', (status) => {
    const policy = resolved('ledgerly', { retryClientErrors: true })
    expect(classify({ status }, policy).kind).toBe('retry')
  })

  test('and a server error is retried', () => {
    expect(classify({ status: 500 }, resolved('ledgerly')).kind).toBe('retry')
  })
})

test('other profiles go on retrying 408, 425 and 429 where client errors are final', () => {
  const policy = resolved('standard', { retryClientErrors: false })
  const kinds = [404, 408, 425, 429].map((status) => classify({ status }, policy).kind)
  expect(kinds).toEqual(['final', 'retry', 'retry', 'retry'])
})

test('a receiver has the time that the document of its profile gives', () => {
  expect([timeoutSecondsOf('marko'), timeoutSecondsOf('standard')]).toEqual([30, 10])
})

describe('the policy in force says where its delays come from', () => {
  test.each<[string, RetryPolicy | null, Profile, object]>([
    ['none of its own', null, 'core', { schedule: [60, 300, 1800], source: 'profile' }],
    ['delays of its own', { maxRetries: 1 }, 'core', { maxRetries: 1, source: 'subscription' }],
    [
      'its own answer to client errors',
      { retryClientErrors: true },
      'ledgerly',
      { tries: 3, backoff: [10, 30, 60], retryClientErrors: true, source: 'profile' },
    ],
  ])('with %s', (_, own, profile, inForce) => {
    expect(policyInForce(own, profile)).toEqual(inForce)
  })
})
