import { describe, expect, test } from 'vitest'
import { LEASE_MS } from '../../../../src/pacing/pacer/state.ts'
import { BATCH, createPacer, NOW_MS } from './calls.ts'

describe('concurrency', () => {
  const busy = () => {
    const pacer = createPacer({ concurrency: 4 })
    pacer.note(10)
    return pacer
  }

  test('bounds a grant', () => {
    expect(createPacer({ concurrency: 4 }).note(10)).toMatchObject({ requests: 10, places: 4 })
  })

  test('refuses while as many are under way, until the grant ends', () => {
    expect(busy().call({})).toEqual({ kind: 'rest', wakeInMs: LEASE_MS, shards: 1 })
  })

  test('counts all grants under way', () => {
    const pacer = createPacer({ concurrency: 4 })
    expect([pacer.note(1), pacer.note(1), pacer.note(9)]).toMatchObject([
      { requests: 1, places: 1 },
      { requests: 1, places: 1 },
      { requests: 9, places: 2 },
    ])
    expect(pacer.call({}).kind).toBe('rest')
  })

  test('whoever finishes may go on', () => {
    expect(busy().finish('lease-1', { events: 6 }, 0, true)).toMatchObject({ kind: 'go', places: 4 })
  })

  test('whoever finishes and leaves has somebody woken', () => {
    expect(busy().finish('lease-1', { events: 6 })).toMatchObject({ kind: 'rest', wakeInMs: 1 })
  })

  test('a grant that is not reported ends, and D1 is read again', () => {
    const pacer = createPacer({ concurrency: 4 })
    pacer.note(4)
    pacer.nowMs += LEASE_MS
    expect(pacer.call({})).toMatchObject({ kind: 'go', places: 4 })
  })

  test('permits that a grant needs no more are for others, however often it says so', () => {
    const pacer = busy()
    const keepsPermits = { leaseId: 'lease-1', permits: 1 }
    expect(pacer.call({ keepsPermits, wantsMore: false }).kind).toBe('rest')
    expect(pacer.call({ keepsPermits, arrived: { events: 9, bytes: 9, sinceMs: NOW_MS } })).toMatchObject({
      places: 3,
    })
    expect(pacer.call({ keepsPermits: { leaseId: 'lease-1', permits: 4 } }).kind).toBe('rest')
  })

  test('a burst of a rate is no larger than there is room for: a request that waits for a permit would start late', () => {
    const limits = { rate: { requests: 400, perSeconds: 1 } }
    expect(createPacer({ ...limits, concurrency: 9 }).note(3)).toMatchObject({ requests: 3, everyMs: 0 })
    const reply = createPacer({ ...limits, concurrency: 1 }).note(3)
    if (reply.kind === 'go' && reply.everyMs === 0) expect(reply.requests).toBe(1)
    expect(reply).toMatchObject({ kind: 'go', places: 1, reuse: false })
  })

  test('goes no further than the caller has connections, and leaves the rest to others', () => {
    const pacer = createPacer({ concurrency: 12 })
    const arrived = { events: 120, bytes: 0, sinceMs: NOW_MS }
    expect(pacer.call({ arrived, permitsMax: 6 })).toMatchObject({ requests: 60, places: 6, reuse: true })
    expect(pacer.wakeInMs()).toBe(1)
    expect(pacer.call({ permitsMax: 6 })).toMatchObject({ requests: 60, places: 6 })
    expect(pacer.call({ permitsMax: 6 }).kind).toBe('rest')
  })

  test('a report is counted once', () => {
    const pacer = busy()
    pacer.finish('lease-1', { events: 6 }, 0, true)
    expect(pacer.finish('lease-1', { events: 6 }, 0, true).kind).toBe('rest')
  })
})

describe('a consumer that dies with a batch', () => {
  const pacer = createPacer({ batch: BATCH })
  pacer.note(100)

  test('has somebody woken when its grant has ended', () => {
    expect(pacer.wakeInMs()).toBe(LEASE_MS)
  })

  test('who is sent to look', () => {
    pacer.nowMs += LEASE_MS
    expect(pacer.call({})).toMatchObject({ kind: 'go', flush: 'none', requests: 1 })
  })

  test('and finds what it had left', () => {
    const waiting = { events: 100, bytes: 1_000, sinceMs: NOW_MS, isDue: false }
    const reply = pacer.call({ finished: { leaseId: 'lease-2', unused: 1 }, waiting })
    expect(reply).toMatchObject({ kind: 'go', flush: 'all', cause: 'wait' })
  })
})

describe('an answer that got lost', () => {
  test('the same call again does not take the slots twice', () => {
    const pacer = createPacer({ rate: { requests: 1, perSeconds: 1 } })
    pacer.call({ arrived: { events: 1, bytes: 1, sinceMs: NOW_MS }, leaseId: 'a' })
    expect(pacer.call({ leaseId: 'a' })).toMatchObject({ kind: 'go', startInMs: 0 })
  })

  test('the same call again is sent to look: what the first took may rest', () => {
    const pacer = createPacer({ batch: BATCH })
    pacer.call({ arrived: { events: 100, bytes: 1, sinceMs: NOW_MS }, leaseId: 'a' })
    expect(pacer.call({ leaseId: 'a' })).toMatchObject({ kind: 'go', flush: 'none', requests: 1 })
  })
})

describe('what is due beside the buffer', () => {
  const due = { waiting: { events: 0, bytes: 0, sinceMs: null, isDue: true } }

  test('is given to one consumer', () => {
    const pacer = createPacer({ batch: BATCH })
    pacer.call(due)
    expect(pacer.call({}).kind).toBe('rest')
  })

  test('is given to others too where a limit would go unused meanwhile', () => {
    const pacer = createPacer({ batch: BATCH, rate: { requests: 1, perSeconds: 1 } })
    pacer.call(due)
    expect(pacer.wakeInMs()).toBe(740)
    pacer.nowMs += 740
    expect(pacer.call({})).toMatchObject({ kind: 'go', flush: 'none', startInMs: 300 })
  })
})

test('of very many grants the oldest are forgotten', () => {
  const pacer = createPacer({ batch: BATCH })
  for (let i = 0; i < 150; i++) pacer.note(100)
  expect(pacer.state.leases).toHaveLength(100)
})
