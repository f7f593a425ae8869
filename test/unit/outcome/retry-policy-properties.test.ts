import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  nextAttempt,
  type RetryPolicy,
  resolvePolicy,
  retryPolicySchema,
} from '../../../src/outcome/retry-policy.ts'

const DAY_SECONDS = 86_400
const ACCEPTED_MS = 1_700_000_000_000

/** Lets every attempt fail at the moment it is due. */
function walk(
  policy: ReturnType<typeof resolvePolicy>,
  random = 0.5,
  retryAfterSeconds: number | null = null,
) {
  const dueAtMs: number[] = []
  let nowMs = ACCEPTED_MS
  for (let attemptsMade = 1; ; attemptsMade += 1) {
    const next = nextAttempt({
      policy,
      attemptsMade,
      acceptedAtMs: ACCEPTED_MS,
      nowMs,
      random,
      retryAfterSeconds,
    })
    if (next.kind === 'exhausted') return { dueAtMs, reason: next.reason }
    dueAtMs.push(next.dueAtMs)
    nowMs = next.dueAtMs
  }
}

test('seed 002 is through within 24 hours of the event', () => {
  const policy = resolvePolicy(
    { maxRetries: 5, retryDelay: 5, backoffMultiplier: 2, maxAgeSeconds: DAY_SECONDS },
    'a',
  )
  expect(walk(policy).dueAtMs.map((due) => (due - ACCEPTED_MS) / 1000)).toEqual([5, 15, 35, 75, 155])
})

describe('for every policy', () => {
  const delay = fc.double({ min: 0, max: 2_592_000, noNaN: true })
  const retries = fc.integer({ min: 0, max: 100 })
  const common = {
    jitter: fc.double({ min: 0, max: 1, noNaN: true }),
    maxAgeSeconds: fc.double({ min: 1, max: 2_592_000, noNaN: true }),
  }
  const exponential = (multiplierMin: number) =>
    fc.record({
      maxRetries: retries,
      retryDelay: delay,
      backoffMultiplier: fc.double({ min: multiplierMin, max: 100, noNaN: true }),
    })
  const list = fc.record({ schedule: fc.array(delay, { maxLength: 100 }) })
  const tries = fc.record({
    tries: fc.integer({ min: 1, max: 101 }),
    backoff: fc.array(delay, { minLength: 1, maxLength: 100 }),
  })
  const anyPolicy: fc.Arbitrary<RetryPolicy> = fc
    .tuple(fc.oneof(exponential(0), list, tries), fc.record(common, { requiredKeys: [] }))
    .map(([form, rest]) => ({ ...form, ...rest }))
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

  test('the schema keeps it as it was given', () => {
    fc.assert(
      fc.property(anyPolicy, (policy) => {
        expect(retryPolicySchema.parse(policy)).toEqual(policy)
      }),
    )
  })

  test('the number of attempts is exact', () => {
    fc.assert(
      fc.property(anyPolicy, random, (policy, chance) => {
        const { maxAgeSeconds: _, ...ageless } = policy
        const { dueAtMs, reason } = walk(resolvePolicy(ageless, 'a'), chance)
        const promised = policy.maxRetries ?? policy.schedule?.length ?? (policy.tries ?? 0) - 1
        expect(dueAtMs).toHaveLength(promised)
        expect(reason).toBe('attempts')
      }),
    )
  })

  test('delays are finite, within the jitter and never shorter than Retry-After', () => {
    const retryAfter = fc.option(fc.integer({ min: 0, max: DAY_SECONDS }))
    fc.assert(
      fc.property(
        anyPolicy,
        random,
        retryAfter,
        fc.integer({ min: 1, max: 100 }),
        (given, chance, asked, attemptsMade) => {
          const policy = { ...resolvePolicy(given, 'a'), maxAgeSeconds: null }
          const next = nextAttempt({
            policy,
            attemptsMade,
            acceptedAtMs: ACCEPTED_MS,
            nowMs: ACCEPTED_MS,
            random: chance,
            retryAfterSeconds: asked,
          })
          if (next.kind === 'exhausted') return
          const delayMs = next.dueAtMs - ACCEPTED_MS
          const plainMs = (policy.delaysSeconds[attemptsMade - 1] ?? Number.NaN) * 1000
          const askedMs = (asked ?? 0) * 1000
          expect(Number.isInteger(delayMs)).toBe(true)
          expect(delayMs).toBeGreaterThanOrEqual(Math.max(askedMs, Math.floor(plainMs * (1 - policy.jitter))))
          expect(delayMs).toBeLessThanOrEqual(Math.max(askedMs, Math.ceil(plainMs * (1 + policy.jitter))))
          expect(delayMs).toBeLessThanOrEqual(2_592_000_000)
        },
      ),
    )
  })

  test('nothing is due after the delivery’s life', () => {
    fc.assert(
      fc.property(anyPolicy, random, (given, chance) => {
        const policy = resolvePolicy(given, 'a')
        const endMs = ACCEPTED_MS + (policy.maxAgeSeconds ?? Number.POSITIVE_INFINITY) * 1000
        expect(walk(policy, chance).dueAtMs.every((due) => due <= endMs)).toBe(true)
      }),
    )
  })

  test('exponential delays never shrink for a multiplier of at least 1', () => {
    fc.assert(
      fc.property(exponential(1), (given) => {
        const { delaysSeconds } = resolvePolicy(given, 'a')
        expect(delaysSeconds).toEqual([...delaysSeconds].sort((a, b) => a - b))
        expect(delaysSeconds.every((seconds) => seconds >= 0 && seconds <= 2_592_000)).toBe(true)
      }),
    )
  })
})
