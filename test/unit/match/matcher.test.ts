import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileMatcher, type Matchable, type Matched, type Narrowed } from '../../../src/match/matcher.ts'
import type { CompiledRules } from '../../../src/match/rules.ts'
import { patternMatches } from '../../../src/model/event-type.ts'
import { cpuMsOf } from '../../support/cpu-time.ts'

function event(type: string, change: Partial<Matched> = {}): Matched {
  const view = () => {
    throw new Error('nothing asked for the content')
  }
  return { type, livemode: true, apiVersion: 'v1', view, ...change }
}

function plain(subscriptions: readonly Omit<Matchable, 'narrowed'>[]): Matchable[] {
  return subscriptions.map((subscription) => ({ ...subscription, narrowed: null }))
}

/** The definition: every subscription is asked, in the order of their numbers. */
function naive(subscriptions: readonly Matchable[], { type, livemode, apiVersion }: Matched): number[] {
  return [...subscriptions]
    .sort((a, b) => a.no - b.no)
    .filter(({ events }) => events.some((pattern) => patternMatches(pattern, type)))
    .filter(({ narrowed }) => (narrowed?.livemode ?? livemode) === livemode)
    .filter(({ narrowed }) => (narrowed?.apiVersion ?? apiVersion) === apiVersion)
    .filter(({ narrowed }) => narrowed?.rules !== NEVER)
    .map(({ no, active }) => (active ? no : -no))
}

const segment = fc.constantFrom('a', 'b', 'posthorn', 'constructor', '__proto__', 'toString')
const anyType = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join('.'))
const anyPattern = fc.oneof(
  anyType,
  anyType.map((type) => `${type}.*`),
  fc.constant('*'),
)
const ALWAYS: CompiledRules = () => ({ holds: true })
const NEVER: CompiledRules = () => ({ holds: false, refusals: [] })
const anyNarrowed: fc.Arbitrary<Narrowed | null> = fc.option(
  fc.record<Narrowed>({
    livemode: fc.constantFrom(null, true, false),
    apiVersion: fc.constantFrom(null, 'v1', 'v2'),
    rules: fc.constantFrom<CompiledRules | null>(null, ALWAYS, NEVER),
  }),
)
const anyEvent = fc.record({
  type: anyType,
  livemode: fc.boolean(),
  apiVersion: fc.constantFrom('v1', 'v2'),
  view: fc.constant(() => VIEW),
})
const VIEW = { id: null, event: 'a', timestamp: '', livemode: true, api_version: 'v1', data: {}, context: {} }
const anySubscriptions = fc.uniqueArray(
  fc.record({
    narrowed: anyNarrowed,
    no: fc.integer({ min: 1, max: 10_000 }),
    active: fc.boolean(),
    events: fc.array(anyPattern, { minLength: 1, maxLength: 5 }),
  }),
  { selector: ({ no }) => no, maxLength: 12 },
)

describe('a compiled matcher', () => {
  test('answers what asking every subscription would, ascending and each once, whatever their order', () => {
    fc.assert(
      fc.property(
        anySubscriptions,
        fc.array(anyEvent, { minLength: 1, maxLength: 8 }),
        (subscriptions, events) => {
          const matcher = compileMatcher(subscriptions)
          expect(events.map((each) => matcher(each))).toEqual(
            events.map((each) => naive(subscriptions, each)),
          )
        },
      ),
      { numRuns: 2_000 },
    )
  })

  test('answers the same when asked again', () => {
    fc.assert(
      fc.property(anySubscriptions, anyEvent, (subscriptions, each) => {
        const matcher = compileMatcher(subscriptions)
        expect(matcher(each)).toEqual(matcher(each))
      }),
    )
  })

  test('gives a disabled subscription as its negative number', () => {
    const matcher = compileMatcher(
      plain([
        { no: 1, active: true, events: ['a'] },
        { no: 2, active: false, events: ['*'] },
        { no: 3, active: true, events: ['a.*', '*'] },
      ]),
    )
    expect(matcher(event('a'))).toEqual([1, -2, 3])
  })

  test('gives a subscription whose patterns overlap once', () => {
    const matcher = compileMatcher(
      plain([{ no: 7, active: true, events: ['*', 'a.*', 'a.b.*', 'a.b.c', 'a.b.c'] }]),
    )
    expect(matcher(event('a.b.c'))).toEqual([7])
  })

  test('keeps posthorn.* from those who want everything', () => {
    const matcher = compileMatcher(
      plain([
        { no: 1, active: true, events: ['*'] },
        { no: 2, active: true, events: ['posthorn.*'] },
      ]),
    )
    expect(matcher(event('posthorn.endpoint.disabled'))).toEqual([2])
  })

  test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty.a'])('finds nobody for %s', (type) => {
    expect(compileMatcher(plain([{ no: 1, active: true, events: ['a'] }]))(event(type))).toEqual([])
  })

  test('looks inside an event only for subscriptions that want its type and have rules', () => {
    const narrowed = { livemode: null, apiVersion: null, rules: ALWAYS }
    const matcher = compileMatcher([
      { no: 1, active: true, events: ['a'], narrowed: null },
      { no: 2, active: true, events: ['b'], narrowed },
    ])
    expect(matcher(event('a'))).toEqual([1])
    expect(() => matcher(event('b'))).toThrow('nothing asked for the content')
  })

  test('does not ask 20,000 subscriptions about an event that one of them wants', () => {
    const subscriptions = Array.from({ length: 20_000 }, (_, i) => ({
      no: i + 1,
      active: true,
      events: [`t${i}.*`],
    }))
    const matcher = compileMatcher(plain(subscriptions))
    const wanted = event('t19999.a')
    const tookMs = cpuMsOf(() => {
      for (let i = 0; i < 20_000; i++) matcher(wanted)
    })
    expect(tookMs).toBeLessThan(2_000)
  })
})
