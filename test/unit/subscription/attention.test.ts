import { expect, test } from 'vitest'
import { attentionsOf, nearLimit } from '../../../src/subscription/overview/attention.ts'
import { standingOf } from '../../../src/subscription/overview/standing.ts'

const NOW = Date.UTC(2026, 10, 2, 12)
const HOUR = 3_600_000

type Watched = Parameters<typeof attentionsOf>[0]

const healthy = {
  active: true,
  disabledReason: null,
  updatedAtMs: NOW - HOUR,
  challenge: { atMs: null, problem: null },
  budget: { failingSinceMs: null, failedAttempts: 0, announcedPercent: 0 },
  breaker: { faultsInRow: 0, heldUntilMs: 0, throttledUntilMs: 0 },
  settings: { disablePolicy: null } as Watched['settings'],
} satisfies Watched

const seen = (watched: Partial<Watched>, blocked = 0) =>
  attentionsOf({ ...healthy, ...watched }, { blocked, nowMs: NOW })

test('what is well needs nobody', () => {
  expect(seen({})).toEqual([])
  expect(seen({ active: false, disabledReason: 'manual' })).toEqual([])
  expect(seen({ budget: { failingSinceMs: NOW - HOUR, failedAttempts: 2, announcedPercent: 0 } })).toEqual([])
})

test('a failing receiver says for how long, how often, and what is held', () => {
  const budget = { failingSinceMs: NOW - 60 * HOUR, failedAttempts: 40, announcedPercent: 50 } as const
  const breaker = { faultsInRow: 11, heldUntilMs: NOW + 45_000, throttledUntilMs: 0 }
  expect(seen({ budget, breaker })[0]).toMatchObject({
    kind: 'failing',
    sinceMs: NOW - 60 * HOUR,
    summary:
      'Fails for 3 d: 40 attempts without a success, 50 % of its failure budget is spent; its deliveries are held for 45 s.',
  })
})

test('deliveries that hold others come before the failures that made them do so', () => {
  const budget = { failingSinceMs: NOW - HOUR, failedAttempts: 5, announcedPercent: 0 } as const
  expect(seen({ budget }, 1).map(({ kind }) => kind)).toEqual(['blocked', 'failing'])
  expect(seen({}, 1)[0]?.summary).toMatch(/^One delivery has/)
  expect(seen({}, 7)[0]?.summary).toMatch(/^7 deliveries have/)
})

test.each(['gone', 'failing', 'unverified'] as const)(
  'one that is disabled because it is %s is named once',
  (disabledReason) => {
    expect(seen({ active: false, disabledReason }, 3)).toHaveLength(1)
  },
)

test('a limit is named once a tenth of it is left', () => {
  expect(nearLimit('subscriptions', { limit: 100, left: 11 })).toBeNull()
  expect(nearLimit('subscriptions', { limit: 100, left: 10 })?.summary).toBe(
    '90 of 100 of the limit subscriptions are used.',
  )
})

test.each([
  ['disabled', { active: false, pausedAtMs: 1 }],
  ['paused', { pausedAtMs: 1, health: 'suspect' }],
  ['failing', { budget: { ...healthy.budget, failingSinceMs: 1 }, health: 'suspect' }],
  ['slow', { health: 'suspect' }],
  ['unproven', { health: 'unproven' }],
  ['healthy', {}],
] as const)('a subscription stands as %s', (standing, state) => {
  expect(standingOf({ ...healthy, pausedAtMs: null, health: 'healthy', ...state })).toBe(standing)
})
