import { describe, expect, test } from 'vitest'
import { countCall, NO_LOAD, type PacerLoad, SHARDS_MAX } from '../../../../src/pacing/pacer/shards.ts'
import { BATCH, createPacer, NOW_MS } from './calls.ts'

/** So many calls in each of so many seconds, evenly. */
function called(load: PacerLoad, perSecond: number, seconds: number, startMs = NOW_MS): PacerLoad {
  let now = load
  for (let i = 0; i < perSecond * seconds; i++) {
    now = countCall(now, startMs + Math.floor((i * 1000) / perSecond))
  }
  return now
}

describe('the number of shards', () => {
  test('stays one up to 400 calls a second', () => {
    expect(called(NO_LOAD, 400, 20).shards).toBe(1)
  })

  test.each([
    [1, 2],
    [2, 4],
    [3, 8],
    [4, SHARDS_MAX],
    [9, SHARDS_MAX],
  ])('after %d seconds of more is %d', (seconds, shards) => {
    expect(called(NO_LOAD, 401, seconds).shards).toBe(shards)
  })

  const hot = called(NO_LOAD, 401, 4)
  const afterMs = NOW_MS + 4_000

  test('stays while there are 100 calls a second', () => {
    expect(called(hot, 100, 60, afterMs).shards).toBe(SHARDS_MAX)
  })

  test('is halved after ten seconds of fewer', () => {
    expect(called(hot, 99, 12, afterMs).shards).toBe(SHARDS_MAX / 2)
  })

  test('not before', () => {
    expect(called(hot, 99, 10, afterMs).shards).toBe(SHARDS_MAX)
  })

  test('is one again after a long silence', () => {
    expect(countCall(hot, afterMs + 40_000).shards).toBe(1)
  })

  test('a clock that goes back changes nothing', () => {
    expect(countCall(hot, NOW_MS - 60_000).shards).toBe(SHARDS_MAX)
  })
})

describe('what a busy pacer advertises', () => {
  const advertised = (terms: Parameters<typeof createPacer>[0]) => {
    const pacer = createPacer(terms)
    for (let i = 0; i < 401; i++) pacer.call({ wantsMore: false })
    return pacer.call({ wantsMore: false })
  }

  test('two of them where it only counts', () => {
    expect(advertised({ batch: BATCH })).toMatchObject({ shards: 2 })
  })

  test.each([
    ['a rate', { batch: BATCH, rate: { requests: 1, perSeconds: 1 } }],
    ['a bound of its requests', { batch: BATCH, concurrency: 1 }],
    ['no batches', {}],
  ])('itself alone where it keeps %s', (_, terms) => {
    expect(advertised(terms)).toMatchObject({ shards: 1 })
  })
})
