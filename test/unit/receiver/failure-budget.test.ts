import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  assessBudget,
  BUDGET_LEVELS,
  type BudgetLevel,
  disablePolicySchema,
  type FailureBudget,
  type ResolvedDisablePolicy,
  resolveDisablePolicy,
  spendBudget,
  UNSPENT_BUDGET,
} from '../../../src/receiver/failure-budget.ts'

const NOW_MS = 1_700_000_000_000
const DAY_MS = 86_400_000
const policy = resolveDisablePolicy({ afterSeconds: 1000, minAttempts: 10 })
/** A budget after failing for a part of the policy's time with some failed attempts. */
const failing = (seconds: number, failedAttempts: number, announcedPercent: 0 | BudgetLevel = 0) => ({
  failingSinceMs: NOW_MS - seconds * 1000,
  failedAttempts,
  announcedPercent,
})
const issuesOf = (value: unknown) =>
  disablePolicySchema
    .safeParse(value)
    .error?.issues.map(({ path, message }) => ({ path: path.join('.'), message })) ?? []

describe('the policy', () => {
  test.each([null, {}])('%j disables after five days and 20 attempts, for good', (given) => {
    expect(resolveDisablePolicy(given)).toEqual({
      enabled: true,
      afterSeconds: 432_000,
      minAttempts: 20,
      reenableByProbe: false,
      probeSeconds: 3600,
    })
  })

  test('keeps what is given', () => {
    const given = {
      enabled: false,
      afterSeconds: 60,
      minAttempts: 1,
      reenableByProbe: true,
      probeSeconds: 60,
    }
    expect(disablePolicySchema.parse(given)).toEqual(given)
    expect(resolveDisablePolicy(given)).toEqual(given)
  })

  test.each([
    [{ afterSeconds: 59 }, 'afterSeconds', '60-2592000'],
    [{ afterSeconds: 2_592_001 }, 'afterSeconds', '60-2592000'],
    [{ afterSeconds: 90.5 }, 'afterSeconds', 'whole seconds'],
    [{ afterSeconds: '5d' }, 'afterSeconds', 'whole seconds'],
    [{ minAttempts: 0 }, 'minAttempts', '1-10000'],
    [{ minAttempts: 10_001 }, 'minAttempts', '1-10000'],
    [{ probeSeconds: 59 }, 'probeSeconds', '60-604800'],
    [{ probeSeconds: 604_801 }, 'probeSeconds', '60-604800'],
    [{ enabled: 'no' }, 'enabled', 'must be true or false'],
    [{ reenableByProbe: 1 }, 'reenableByProbe', 'must be true or false'],
    [{ after: 60 }, '', '"after"'],
  ])('refuses %j', (given, path, message) => {
    expect(issuesOf(given)).toEqual([{ path, message: expect.stringContaining(message) }])
  })
})

describe('the budget', () => {
  test.each([
    ['nothing failed', UNSPENT_BUDGET, { percent: 0, announce: null, disable: false }],
    ['much time, one attempt', failing(5000, 1), { percent: 10, announce: null, disable: false }],
    ['many attempts, no time', failing(0, 1000), { percent: 0, announce: null, disable: false }],
    ['just below half', failing(499.999, 10), { percent: 49, announce: null, disable: false }],
    ['half', failing(500, 10), { percent: 50, announce: 50, disable: false }],
    ['half, said already', failing(500, 10, 50), { percent: 50, announce: null, disable: false }],
    ['seven attempts of ten', failing(1000, 7, 50), { percent: 70, announce: 70, disable: false }],
    ['90 at once', failing(900, 9), { percent: 90, announce: 90, disable: false }],
    ['just below all', failing(999.999, 10, 90), { percent: 99, announce: null, disable: false }],
    ['all', failing(1000, 10, 90), { percent: 100, announce: 100, disable: true }],
    ['all, and more', failing(9000, 99, 100), { percent: 100, announce: null, disable: true }],
    ['a clock that went back', failing(-5, 10), { percent: 0, announce: null, disable: false }],
  ])('%s', (_, state, verdict) => {
    expect(assessBudget(state, policy, NOW_MS)).toEqual(verdict)
  })

  test('is none where disabling is switched off', () => {
    const off = { ...policy, enabled: false }
    expect(assessBudget(failing(9000, 99), off, NOW_MS)).toEqual({
      percent: 0,
      announce: null,
      disable: false,
    })
  })

  test('is spent from the first failure on', () => {
    const once = spendBudget(UNSPENT_BUDGET, { successes: 0, failures: 2 }, NOW_MS).state
    expect(once).toEqual({ failingSinceMs: NOW_MS, failedAttempts: 2, announcedPercent: 0 })
    expect(spendBudget(once, { successes: 0, failures: 3 }, NOW_MS + 5).state).toEqual({
      failingSinceMs: NOW_MS,
      failedAttempts: 5,
      announcedPercent: 0,
    })
  })

  test('starts again with any success, and counts what failed after it', () => {
    const { state, recovered } = spendBudget(failing(900, 9), { successes: 1, failures: 2 }, NOW_MS)
    expect(state).toEqual({ failingSinceMs: NOW_MS, failedAttempts: 2, announcedPercent: 0 })
    expect(recovered).toBe(false)
  })

  test('announces a recovery only after a warning', () => {
    const success = { successes: 1, failures: 0 }
    expect(spendBudget(failing(900, 9, 50), success, NOW_MS)).toEqual({
      state: UNSPENT_BUDGET,
      recovered: true,
    })
    expect(spendBudget(failing(400, 9), success, NOW_MS).recovered).toBe(false)
    expect(spendBudget(failing(900, 9, 50), { successes: 0, failures: 1 }, NOW_MS).recovered).toBe(false)
  })
})

describe('for every history', () => {
  const claim = fc.record({
    successes: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 1),
    failures: fc.nat(6),
    waitMs: fc.nat(DAY_MS),
  })
  const given = fc.record({
    afterSeconds: fc.integer({ min: 60, max: 432_000 }),
    minAttempts: fc.integer({ min: 1, max: 40 }),
  })
  const steps = fc
    .tuple(fc.array(claim, { maxLength: 80 }), given.map(resolveDisablePolicy))
    .map(([claims, resolved]) => walk(claims, resolved))

  /** Walks an unspent budget through claims, writing down what is announced. */
  function walk(
    claims: (typeof claim extends fc.Arbitrary<infer C> ? C : never)[],
    by: ResolvedDisablePolicy,
  ) {
    let state: FailureBudget = UNSPENT_BUDGET
    let nowMs = NOW_MS
    return claims.map((seen) => {
      nowMs += seen.waitMs
      const spent = spendBudget(state, seen, nowMs)
      const verdict = assessBudget(spent.state, by, nowMs)
      state = { ...spent.state, announcedPercent: verdict.announce ?? spent.state.announcedPercent }
      return { seen, nowMs, by, verdict, recovered: spent.recovered }
    })
  }

  test('nobody is disabled before both time and attempts are spent, and everybody is then', () => {
    const disabled = new Set<boolean>()
    fc.assert(
      fc.property(steps, (walked) => {
        let failures: number[] = []
        for (const { seen, nowMs, by, verdict } of walked) {
          if (seen.successes > 0) failures = []
          for (let n = 0; n < seen.failures; n++) failures.push(nowMs)
          const failingMs = nowMs - (failures[0] ?? nowMs)
          const isDue = failures.length >= by.minAttempts && failingMs >= by.afterSeconds * 1000
          expect(verdict.disable).toBe(isDue)
          disabled.add(isDue)
        }
      }),
    )
    expect(disabled).toContain(true)
  })

  test('between two successes each level is announced once at most, in order; a recovery only after that', () => {
    const levels = new Set<number>()
    fc.assert(
      fc.property(steps, (walked) => {
        let said = 0
        for (const { seen, verdict, recovered } of walked) {
          expect(recovered).toBe(seen.successes > 0 && said > 0)
          if (seen.successes > 0) said = 0
          const { announce } = verdict
          if (announce !== null) expect(announce).toBeGreaterThan(said)
          said = announce ?? said
          levels.add(said)
        }
      }),
      // So many that each level is met.
      { numRuns: 1_000 },
    )
    expect([...levels].sort((a, b) => a - b)).toEqual([0, ...BUDGET_LEVELS])
  })
})
