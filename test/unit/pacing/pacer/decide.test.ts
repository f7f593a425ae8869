import { describe, expect, test } from 'vitest'
import { newPacerState } from '../../../../src/pacing/pacer/state.ts'
import { BATCH, createPacer, NOW_MS } from './calls.ts'

describe('without terms', () => {
  const pacer = createPacer({})
  const reply = pacer.call({ terms: null, arrived: { events: 1, bytes: 1, sinceMs: NOW_MS } })

  test('a pacer asks for them', () => {
    expect(reply).toEqual({ kind: 'unknown' })
  })

  test('nothing is counted yet: the same call comes again', () => {
    expect(pacer.state).toEqual(newPacerState())
  })
})

describe('when a buffer is flushed', () => {
  const rows: [string, number, number, number, object | null][] = [
    // what, events, bytes, age, grant
    ['below every bound it waits', 99, 9_999, 29_999, null],
    ['at the count', 100, 0, 0, { flush: 'full', cause: 'count', requests: 1 }],
    ['at several times the count', 350, 0, 0, { flush: 'full', cause: 'count', requests: 3 }],
    ['at the bytes', 5, 10_000, 0, { flush: 'full', cause: 'bytes', requests: 1 }],
    ['bytes do not come out even', 50, 25_000, 0, { flush: 'full', cause: 'bytes', requests: 3 }],
    ['one event above the bytes goes alone', 1, 15_000, 0, { flush: 'full', cause: 'bytes', requests: 2 }],
    ['both, few by count', 100, 50_000, 0, { flush: 'full', cause: 'count', requests: 5 }],
    ['at the wait', 1, 10, 30_000, { flush: 'all', cause: 'wait', requests: 1 }],
    ['the wait wins over the count', 250, 10, 30_000, { flush: 'all', cause: 'wait', requests: 3 }],
    ['the wait counts bytes too', 10, 35_000, 30_000, { flush: 'all', cause: 'wait', requests: 4 }],
    ['one grant is bounded', 5_000, 0, 0, { flush: 'full', cause: 'count', requests: 10 }],
  ]

  test.each(rows)('%s', (_, events, bytes, ageMs, grant) => {
    const pacer = createPacer({ batch: BATCH })
    const reply = pacer.call({ arrived: { events, bytes, sinceMs: NOW_MS - ageMs } })
    const rest = { places: null, reuse: false, startInMs: 0, everyMs: 0, shards: 1, leaseId: 'lease-1' }
    const expected = { kind: 'go', ...rest, ...grant }
    expect(reply).toEqual(grant === null ? { kind: 'rest', wakeInMs: 1, shards: 1 } : expected)
  })

  test('whoever only reports gets no grant, and somebody else is woken', () => {
    const pacer = createPacer({ batch: BATCH })
    expect(pacer.note(100, 0, false)).toEqual({ kind: 'rest', wakeInMs: 1, shards: 1 })
  })

  test('what is due without a flush goes although the buffer waits', () => {
    const pacer = createPacer({ batch: BATCH })
    const reply = pacer.call({ waiting: { events: 5, bytes: 50, sinceMs: NOW_MS, isDue: true } })
    expect(reply).toMatchObject({ kind: 'go', flush: 'none', cause: null, requests: 1 })
  })

  test('what is due gets a request beside the flush', () => {
    const pacer = createPacer({ batch: BATCH })
    const reply = pacer.call({ waiting: { events: 200, bytes: 50, sinceMs: NOW_MS, isDue: true } })
    expect(reply).toMatchObject({ flush: 'full', requests: 3 })
  })

  test('nothing is known to rest: nobody is woken', () => {
    const pacer = createPacer({ batch: BATCH })
    expect(pacer.call({})).toEqual({ kind: 'rest', wakeInMs: null, shards: 1 })
  })
})

describe('what a grant takes out of the buffer', () => {
  test.each([
    ['full batches by count; the rest stays', { events: 350, bytes: 3_500 }, { events: 50, bytes: 500 }],
    ['full batches by bytes', { events: 50, bytes: 25_000 }, { events: 10, bytes: 5_000 }],
    ['as much as ten requests carry', { events: 5_000, bytes: 50_000 }, { events: 4_000, bytes: 40_000 }],
    ['all of a full batch', { events: 100, bytes: 1_000 }, null],
  ])('%s', (_, arrived, left) => {
    const pacer = createPacer({ batch: BATCH })
    pacer.call({ arrived: { ...arrived, sinceMs: NOW_MS } })
    expect(pacer.state.buffer).toEqual(left && { ...left, sinceMs: NOW_MS })
  })

  test('a flush of everything leaves nothing', () => {
    const pacer = createPacer({ batch: BATCH })
    pacer.call({ arrived: { events: 350, bytes: 3_500, sinceMs: NOW_MS - 30_000 } })
    expect(pacer.state.buffer).toBeNull()
  })

  test('a second consumer is not granted the same', () => {
    const pacer = createPacer({ batch: BATCH })
    pacer.note(100)
    expect(pacer.call({}).kind).toBe('rest')
  })

  test('what one grant was too small for goes to the next at once', () => {
    const pacer = createPacer({ batch: BATCH })
    pacer.note(1_500, 0)
    expect(pacer.wakeInMs()).toBe(1)
    expect(pacer.call({})).toMatchObject({ kind: 'go', flush: 'full', requests: 5 })
  })
})

describe('the count of D1 after a claim', () => {
  test('replaces the count', () => {
    const pacer = createPacer({ batch: BATCH })
    pacer.note(150)
    pacer.finish('lease-1', { events: 3 })
    expect(pacer.state.buffer?.events).toBe(3)
  })

  test('does not hide arrivals since the grant', () => {
    const pacer = createPacer({ batch: BATCH })
    pacer.note(100)
    pacer.note(20)
    pacer.finish('lease-1', { events: 3 })
    expect(pacer.state.buffer?.events).toBe(23)
  })

  test('is counted before what the same call notes', () => {
    const pacer = createPacer({ batch: BATCH })
    pacer.note(100)
    const arrived = { events: 4, bytes: 40, sinceMs: NOW_MS }
    const waiting = { events: 3, bytes: 30, sinceMs: NOW_MS, isDue: false }
    pacer.call({ finished: { leaseId: 'lease-1', unused: 0 }, waiting, arrived })
    expect(pacer.state.buffer?.events).toBe(7)
  })

  test('without a grant only raises the count: more may have arrived since D1 was read', () => {
    const pacer = createPacer({ batch: BATCH })
    pacer.note(20)
    pacer.call({ waiting: { events: 3, bytes: 30, sinceMs: NOW_MS - 5_000, isDue: false } })
    expect(pacer.state.buffer).toEqual({ events: 20, bytes: 200, sinceMs: NOW_MS - 5_000 })
    pacer.call({ waiting: { events: 30, bytes: 30, sinceMs: NOW_MS, isDue: false } })
    expect(pacer.state.buffer).toEqual({ events: 30, bytes: 200, sinceMs: NOW_MS - 5_000 })
  })

  test('of a grant that nobody remembers only raises the count as well', () => {
    const pacer = createPacer({ batch: BATCH })
    pacer.note(20)
    pacer.finish('forgotten', { events: 3 })
    expect(pacer.state.buffer?.events).toBe(20)
  })

  test('does not clear what became due since the grant', () => {
    const pacer = createPacer({ batch: BATCH })
    pacer.note(100)
    pacer.call({ waiting: { events: 0, bytes: 0, sinceMs: null, isDue: true }, wantsMore: false })
    pacer.finish('lease-1', { events: 0 })
    expect(pacer.state.isOwed).toBe(true)
  })

  test('a full use without a look leaves it open whether there is more', () => {
    const pacer = createPacer({ rate: { requests: 10, perSeconds: 1 } })
    pacer.note(1)
    pacer.finish('lease-1', null)
    expect(pacer.state.isOwed).toBe(true)
  })

  test('requests left over without a look say that there is no more', () => {
    const pacer = createPacer({ concurrency: 5 })
    pacer.note(2)
    pacer.finish('lease-1', null, 1)
    expect(pacer.wakeInMs()).toBeNull()
  })
})

describe('without batching', () => {
  test('as many requests as events are known', () => {
    expect(createPacer({ concurrency: 50 }).note(3)).toMatchObject({ kind: 'go', requests: 3, flush: 'none' })
  })

  test('at most a hundred', () => {
    expect(createPacer({}).note(300)).toMatchObject({ requests: 100 })
  })

  test('a hundred where nobody knows how many are due', () => {
    const waiting = { events: 0, bytes: 0, sinceMs: null, isDue: true }
    expect(createPacer({}).call({ waiting })).toMatchObject({ requests: 100 })
  })

  test('nothing waits any more: nobody is woken', () => {
    const pacer = createPacer({ rate: { requests: 1, perSeconds: 1 } })
    pacer.note(1)
    pacer.finish('lease-1', { events: 0 })
    expect(pacer.wakeInMs()).toBeNull()
  })
})
