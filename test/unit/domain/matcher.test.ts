import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { patternMatches } from '../../../src/domain/event-type.ts'
import { compileMatcher, type Matchable } from '../../../src/domain/matcher.ts'

/** The definition: every subscription is asked, in the order of their numbers. */
function naive(subscriptions: readonly Matchable[], type: string): number[] {
  return [...subscriptions]
    .sort((a, b) => a.no - b.no)
    .filter(({ events }) => events.some((pattern) => patternMatches(pattern, type)))
    .map(({ no, active }) => (active ? no : -no))
}

const segment = fc.constantFrom('a', 'b', 'posthorn', 'constructor', '__proto__', 'toString')
const anyType = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join('.'))
const anyPattern = fc.oneof(
  anyType,
  anyType.map((type) => `${type}.*`),
  fc.constant('*'),
)
const anySubscriptions = fc.uniqueArray(
  fc.record({
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
        fc.array(anyType, { minLength: 1, maxLength: 8 }),
        (subscriptions, types) => {
          const matcher = compileMatcher(subscriptions)
          expect(types.map(matcher)).toEqual(types.map((type) => naive(subscriptions, type)))
        },
      ),
      { numRuns: 2_000 },
    )
  })

  test('answers the same when asked again', () => {
    fc.assert(
      fc.property(anySubscriptions, anyType, (subscriptions, type) => {
        const matcher = compileMatcher(subscriptions)
        expect(matcher(type)).toEqual(matcher(type))
      }),
    )
  })

  test('gives a disabled subscription as its negative number', () => {
    const matcher = compileMatcher([
      { no: 1, active: true, events: ['a'] },
      { no: 2, active: false, events: ['*'] },
      { no: 3, active: true, events: ['a.*', '*'] },
    ])
    expect(matcher('a')).toEqual([1, -2, 3])
  })

  test('gives a subscription whose patterns overlap once', () => {
    const matcher = compileMatcher([{ no: 7, active: true, events: ['*', 'a.*', 'a.b.*', 'a.b.c', 'a.b.c'] }])
    expect(matcher('a.b.c')).toEqual([7])
  })

  test('keeps posthorn.* from those who want everything', () => {
    const matcher = compileMatcher([
      { no: 1, active: true, events: ['*'] },
      { no: 2, active: true, events: ['posthorn.*'] },
    ])
    expect(matcher('posthorn.endpoint.disabled')).toEqual([2])
  })

  test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty.a'])('finds nobody for %s', (type) => {
    expect(compileMatcher([{ no: 1, active: true, events: ['a'] }])(type)).toEqual([])
  })

  test('does not ask 20,000 subscriptions about an event that one of them wants', () => {
    const subscriptions = Array.from({ length: 20_000 }, (_, i) => ({
      no: i + 1,
      active: true,
      events: [`t${i}.*`],
    }))
    const matcher = compileMatcher(subscriptions)
    const startedAtMs = performance.now()
    for (let i = 0; i < 20_000; i++) matcher('t19999.a')
    expect(performance.now() - startedAtMs).toBeLessThan(2_000)
  })
})
