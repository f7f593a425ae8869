import { describe, expect, test } from 'vitest'
import type { AttemptReport } from '../../../src/deliver/attempt/attempt.ts'
import {
  assessObservations,
  NO_OBSERVATIONS,
  observeAttempt,
  type ReceiverObservations,
} from '../../../src/deliver/receiver-observations.ts'
import { CLOSED_BREAKER } from '../../../src/receiver/breaker.ts'
import { UNSPENT_BUDGET } from '../../../src/receiver/failure-budget.ts'
import type { Subscription } from '../../../src/subscription/subscription.ts'

const NOW_MS = 1_700_000_000_000
const DAY_MS = 86_400_000

type Change = Partial<Omit<AttemptReport, 'record'>> & {
  record?: Partial<AttemptReport['record']>
  requestedByPerson?: boolean
}

const ok = (change: Change = {}): Change => ({
  signal: 'answer',
  ...change,
  record: { success: true, ...change.record },
})
const fault = (change: Change = {}): Change => ({
  ...{ signal: 'fault', ...change },
  record: { success: false, error: 'http_status', status: 500, ...change.record },
})

function note(
  before: ReceiverObservations,
  { record, requestedByPerson = false, ...change }: Change,
): ReceiverObservations {
  const whole = {
    ...{ subscriptionNo: 1, seq: 1, type: 'a', isTest: false, attemptNo: 1, success: true, dueAtMs: null },
    ...{ atMs: NOW_MS, status: 200, error: null, latencyMs: 7, response: null, detail: null, kept: null },
    ...{ payload: 'none' as const, batchNo: null, isCounted: true, ...record },
  }
  const report = {
    signal: 'answer' as const,
    retryAfterUntilMs: null,
    isGone: false,
    ...change,
    record: whole,
  }
  return observeAttempt(before, report, { requestedByPerson })
}

const notes = (...seen: Change[]) => seen.reduce(note, NO_OBSERVATIONS)

const subscription = (change: Partial<Subscription> = {}): Subscription =>
  ({
    ...{ no: 1, workspaceNo: 2, workspaceId: 'acme', id: 'webhook_a', kind: 'subscription', version: 3 },
    ...{ active: true, disabledReason: null, pausedAtMs: null, health: 'healthy' },
    ...{ breaker: CLOSED_BREAKER, budget: UNSPENT_BUDGET },
    settings: { url: 'https://receiver.example.com', description: null, disablePolicy: null },
    ...change,
  }) as Subscription

const conclude = (about: Subscription, ...seen: Change[]) =>
  assessObservations(about, notes(...seen), NOW_MS, 0.5)
const typesOf = ({ announcements }: ReturnType<typeof conclude>) => announcements.map(({ type }) => type)

const FAILING_SINCE = {
  failingSinceMs: NOW_MS - 4 * DAY_MS,
  failedAttempts: 100,
  announcedPercent: 70,
} as const
const OPEN = { faultsInRow: 10, heldUntilMs: NOW_MS + 1, throttledUntilMs: 0 }

describe('a claim that changes nothing costs nothing', () => {
  test('of a healthy receiver that answers', () => {
    expect(conclude(subscription(), ok(), ok())).toEqual({ change: null, announcements: [] })
  })

  test('of a test that a disabled one does not pass', () => {
    const disabled = subscription({ active: false, disabledReason: 'failing' })
    const { change, announcements } = conclude(disabled, {
      ...{ signal: 'answer', record: { isTest: true, success: false, error: 'http_status', status: 404 } },
    })
    expect([change, announcements]).toEqual([null, []])
  })
})

describe('the breaker', () => {
  test('faults are added', () => {
    expect(conclude(subscription(), fault(), fault()).change?.breaker).toMatchObject({
      kind: 'add',
      faults: 2,
    })
  })

  test('only those after the last answer count', () => {
    const { change } = conclude(subscription(), fault(), fault(), ok(), fault())
    expect(change?.breaker).toMatchObject({ kind: 'close', faults: 1 })
  })

  test('a retry that a person asked for and that is answered forgets everything', () => {
    const { change } = conclude(subscription({ breaker: OPEN }), ok({ requestedByPerson: true }))
    expect(change?.breaker?.kind).toBe('reset')
  })

  test('but not when the answer asks to be left alone', () => {
    const throttled = subscription({ breaker: { ...CLOSED_BREAKER, throttledUntilMs: NOW_MS + 5 } })
    const refused = { signal: 'answer' as const, requestedByPerson: true, retryAfterUntilMs: NOW_MS + 60_000 }
    const { change } = conclude(throttled, {
      ...refused,
      record: { success: false, status: 429, error: 'http_status' },
    })
    expect(change?.breaker).toMatchObject({ kind: 'close', throttledUntilMs: NOW_MS + 60_000 })
  })

  test('one that fails forgets nothing', () => {
    expect(
      conclude(subscription({ breaker: OPEN }), fault({ requestedByPerson: true })).change?.breaker,
    ).toBe(null)
  })
})

describe('the failure budget', () => {
  test('is spent by failures since the last success', () => {
    const { change } = conclude(subscription(), fault(), ok(), fault(), fault())
    expect(change?.budget).toEqual({ successes: 1, failures: 2 })
  })

  test.each([
    ['the relay’s own fault', { error: 'internal', status: null }],
    ['a test', { isTest: true }],
  ])('is not spent by %s', (_, record) => {
    const seen = fault({ signal: 'nothing', record })
    expect(conclude(subscription(), seen).change).toBe(null)
  })

  test('announces a level that is reached', () => {
    const concluded = conclude(subscription({ budget: { ...FAILING_SINCE, announcedPercent: 50 } }), fault())
    expect(concluded.change).toMatchObject({ announced: 70, disable: null })
    expect(typesOf(concluded)).toEqual(['posthorn.subscription.failing'])
  })

  test('announces no level twice', () => {
    const concluded = conclude(subscription({ budget: FAILING_SINCE }), fault())
    expect([concluded.change?.announced, typesOf(concluded)]).toEqual([null, []])
  })

  test('disables when it is spent, and says so instead of warning', () => {
    const spent = { ...FAILING_SINCE, failingSinceMs: NOW_MS - 5 * DAY_MS }
    const concluded = conclude(subscription({ budget: spent }), fault())
    expect(concluded.change).toMatchObject({ disable: 'failing', announced: null })
    expect(typesOf(concluded)).toEqual(['posthorn.subscription.disabled'])
  })

  test('is whole again after a success, which is announced where the failing was', () => {
    const concluded = conclude(subscription({ budget: FAILING_SINCE }), ok())
    expect(concluded.change).toMatchObject({ budget: { successes: 1, failures: 0 }, disable: null })
    expect(typesOf(concluded)).toEqual(['posthorn.subscription.recovered'])
    const quiet = conclude(subscription({ budget: { ...FAILING_SINCE, announcedPercent: 0 } }), ok())
    expect([quiet.change === null, typesOf(quiet)]).toEqual([false, []])
  })

  test('does not disable where a success came after what spent it', () => {
    const spent = { ...FAILING_SINCE, failingSinceMs: NOW_MS - 9 * DAY_MS }
    expect(conclude(subscription({ budget: spent }), ok(), fault()).change?.disable).toBe(null)
  })

  test('of a dispatch’s target is nobody’s to disable', () => {
    const spent = { ...FAILING_SINCE, failingSinceMs: NOW_MS - 9 * DAY_MS }
    const target = subscription({ kind: 'dispatch', budget: spent })
    expect(conclude(target, fault({ isGone: true })).change).toMatchObject({ disable: null, announced: null })
  })
})

describe('a 410', () => {
  const gone = fault({ signal: 'answer', isGone: true, record: { status: 410 } })

  test('disables as gone, whatever the budget', () => {
    const concluded = conclude(subscription(), gone, ok())
    expect([concluded.change?.disable, typesOf(concluded)]).toEqual([
      'gone',
      ['posthorn.subscription.disabled'],
    ])
  })

  test('disables though the policy disables nobody', () => {
    const settings = { ...subscription().settings, disablePolicy: { enabled: false } }
    expect(conclude(subscription({ settings }), gone).change?.disable).toBe('gone')
  })

  test('to a test, or to one that is disabled already, changes nothing', () => {
    expect(conclude(subscription(), { ...gone, record: { ...gone.record, isTest: true } }).change).toBe(null)
    const disabled = subscription({ active: false, disabledReason: 'manual' })
    expect(conclude(disabled, gone).change?.disable ?? null).toBe(null)
  })
})

describe('a test that succeeds', () => {
  const policy = (reenableByProbe: boolean) => ({
    settings: { ...subscription().settings, disablePolicy: { reenableByProbe } },
  })
  const test1 = ok({ record: { isTest: true } })
  const disabled = { active: false, disabledReason: 'failing' } as const

  test('enables what was disabled for failing and asked for it, and says so', () => {
    const concluded = conclude(subscription({ ...disabled, ...policy(true) }), test1)
    expect([concluded.change?.enable, typesOf(concluded)]).toEqual([
      true,
      ['posthorn.subscription.recovered'],
    ])
  })

  test.each([
    ['did not ask for it', { ...disabled, ...policy(false) }],
    ['is gone', { ...disabled, disabledReason: 'gone' as const, ...policy(true) }],
    ['was disabled by hand', { ...disabled, disabledReason: 'manual' as const, ...policy(true) }],
  ])('enables nobody that %s', (_, change) => {
    expect(conclude(subscription(change), test1).change?.enable ?? false).toBe(false)
  })
})
