import { describe, expect, test } from 'vitest'
import { compileCatalogue } from '../../../src/catalogue/catalogue.ts'
import { UNRESTRICTED } from '../../../src/destination/rules.ts'
import { NO_LIMITS } from '../../../src/limits/limits.ts'
import { conditionsSchema } from '../../../src/match/conditions.ts'
import { filtersSchema } from '../../../src/match/filters.ts'
import { compileMatcher } from '../../../src/match/matcher.ts'
import { compileRules } from '../../../src/match/rules.ts'
import { SharedSteps } from '../../../src/match/shared-steps.ts'
import { requiredValues } from '../../../src/match/value-index.ts'
import { draftView } from '../../../src/model/event.ts'
import { planWaiting } from '../../../src/pacing/waiting.ts'
import { matchEvents } from '../../../src/publish/match-events.ts'
import type { Prepared } from '../../../src/publish/prepared-event.ts'

const SETTINGS = {
  livemode: true,
  apiVersion: 'v1',
  eventTypeEnforcement: 'off',
  retentionDays: 30,
  retentionBytes: null,
  archive: false,
  ...UNRESTRICTED,
  limits: NO_LIMITS,
} as const

const rulesOf = (filters: unknown, conditions: unknown = []) => ({
  filters: filtersSchema.parse(filters),
  conditions: conditionsSchema.parse(conditions),
  conditionLogic: 'AND' as const,
})
const HEAVY = rulesOf(['items.all(i, i != "a" && i != "b" && i != "c")'])

function configurationOf(all: readonly ReturnType<typeof rulesOf>[], waiting = planWaiting([])) {
  const matcher = compileMatcher(
    all.map((rules, at) => ({
      no: at + 1,
      active: true,
      events: ['*'],
      narrowed: {
        livemode: null,
        apiVersion: null,
        rules: compileRules(rules),
        required: requiredValues(rules),
      },
    })),
  )
  const catalogue = compileCatalogue([], 'off')
  return {
    no: 1,
    configVersion: 1,
    settings: SETTINGS,
    matcher,
    catalogue,
    waiting,
    access: { keys: new Map(), portal: { epoch: 0, workspaceMadeAtMs: 0 } },
  }
}

function prepared(value: Record<string, unknown>, at: number): Prepared {
  const draft = {
    type: 'order.paid',
    ownId: null,
    timestamp: '2024-01-15T10:30:00Z',
    livemode: null,
    apiVersion: null,
    deliverAtMs: null,
    expiresAfterSeconds: null,
    data: { text: '', value },
    context: { text: '{}', value: {} },
    content: '',
  }
  const event = {
    type: draft.type,
    ownId: null,
    fanout: [],
    body: '',
    bodyKey: null,
    isTest: false,
    deliverAtMs: null,
    expiresAfterSeconds: null,
    keys: [],
    hash: null,
  }
  return { at, draft, event, warnings: [], exceptNo: null }
}

const listOf = (length: number) => Array.from({ length }, (_, i) => `x${i}`)
/** A twentieth of what a request has, which takes as much less time. */
const STEPS_MAX = 2_000_000
const fanoutsOf = async (
  configuration: ReturnType<typeof configurationOf>,
  data: Record<string, unknown>[],
) => {
  const { items } = await matchEvents(configuration, data.map(prepared), STEPS_MAX)
  return items.map(({ event, warnings }) => ({ fanout: event.fanout, warnings }))
}

describe('the rules for all events of one request share a budget', () => {
  test('that a thousand events and a thousand subscriptions with usual rules never meet', async () => {
    const subscriptions = Array.from({ length: 1000 }, (_, i) =>
      i % 2 === 0
        ? rulesOf({ 'order.customerId': `c${i}` })
        : rulesOf({ 'order.customerId': `c${i}`, 'order.total': { min: 3 } }, [
            { field: 'order.status', operator: 'ne', value: 'draft' },
          ]),
    )
    const data = Array.from({ length: 1000 }, (_, i) => ({
      object: { customerId: `c${i}`, total: 5, status: 'open' },
    }))
    const found = await fanoutsOf(configurationOf(subscriptions), data)
    expect(found).toEqual(data.map((_, i) => ({ fanout: [i + 1], warnings: [] })))
  })

  test('and tell the publisher which events are too complex for some; simple rules are always answered', async () => {
    const simple = rulesOf({ 'order.total': { min: 3 }, kind: 'a' })
    const configuration = configurationOf([...Array.from({ length: 200 }, () => HEAVY), simple])
    const data = Array.from({ length: 20 }, () => ({ items: listOf(250), object: { total: 5 }, kind: 'a' }))
    const found = await fanoutsOf(configuration, data)
    for (const { fanout, warnings } of found) {
      expect(fanout.at(-1)).toBe(201)
      expect(fanout.length).toBeLessThan(60)
      expect(warnings).toEqual([
        expect.stringMatching(/^event: is too_complex for 1\d\d subscriptions, which do not get it/),
      ])
    }
  })

  test('of which each event has a fair share, and leaves what it does not need to those behind it', async () => {
    const configuration = configurationOf(Array.from({ length: 100 }, () => HEAVY))
    const large = { items: listOf(250) }
    const small = { items: listOf(5) }
    const counts = async (data: Record<string, unknown>[]) =>
      (await fanoutsOf(configuration, data)).map(({ fanout }) => fanout.length)
    const [first = 0, second = 0, ...others] = await counts([large, large, ...Array(18).fill(small)])
    expect(first).toBeLessThan(60)
    expect(second).toBeGreaterThanOrEqual(first)
    expect(others).toEqual(Array(18).fill(100))
    expect((await counts([...Array(18).fill(small), large, large])).slice(18)).toEqual([100, 100])
  })

  test('with the same result each time', async () => {
    const configuration = configurationOf(Array.from({ length: 100 }, () => HEAVY))
    const data = Array.from({ length: 10 }, (_, i) => ({ items: listOf(150 + 25 * i) }))
    expect(await fanoutsOf(configuration, data)).toEqual(
      await fanoutsOf(configuration, structuredClone(data)),
    )
  })

  test('while others have their turn between the events', async () => {
    const configuration = configurationOf(Array.from({ length: 20 }, () => HEAVY))
    let turns = 0
    const timer = setInterval(() => turns++, 0)
    await fanoutsOf(
      configuration,
      Array.from({ length: 20 }, () => ({ items: listOf(4000) })),
    )
    clearInterval(timer)
    expect(turns).toBeGreaterThan(1)
  })

  test('and between the subscriptions of one event', async () => {
    const configuration = configurationOf(Array.from({ length: 200 }, () => HEAVY))
    const event = { type: 'order.paid', livemode: true, apiVersion: 'v1' }
    const view = () => ({ ...draftView(prepared({ items: listOf(4000) }, 0).draft, SETTINGS) })
    const shared = new SharedSteps(STEPS_MAX)
    const task = configuration.matcher.inTurns({ ...event, view }, shared)
    const walked = [0]
    while (task.next().done !== true) walked.push(shared.walked)
    const slices = walked.slice(1).map((steps, i) => steps - (walked[i] ?? 0))
    expect(slices.length).toBeGreaterThan(2)
    // A turn, and the budget of one verdict.
    expect(Math.max(...slices)).toBeLessThan(600_000)
  })

  test('and simple ordering keys are found in any case', async () => {
    const pacing = (no: number, orderingKey: string) => ({
      no,
      active: true,
      pacing: {
        batchSettings: null,
        ordered: true,
        orderingKey,
        rateLimit: null,
        concurrency: null,
        onExhausted: 'block' as const,
      },
    })
    const subscriptions = Array.from({ length: 300 }, () => HEAVY).concat(rulesOf({ kind: 'a' }))
    const plan = planWaiting([pacing(1, 'items'), pacing(301, 'data.object.customer')])
    const data = Array.from({ length: 10 }, () => ({
      items: listOf(2000),
      kind: 'a',
      object: { customer: 'c1' },
    }))
    const { items } = await matchEvents(configurationOf(subscriptions, plan), data.map(prepared), STEPS_MAX)
    const keys = items.map(({ event }) => event.waiting?.map(({ orderKey }) => orderKey))
    expect(keys).toEqual(data.map(() => ['', '"c1"']))
  })
})
