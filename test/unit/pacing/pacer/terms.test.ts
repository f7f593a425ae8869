import { describe, expect, test } from 'vitest'
import {
  pacerCallSchema,
  pacerReplySchema,
  toWireCall,
  type WirePacerCall,
} from '../../../../src/pacing/pacer/protocol.ts'
import { newPacerState, readPacerState, storePacerState } from '../../../../src/pacing/pacer/state.ts'
import { BATCH, createPacer, NOW_MS, termsOf } from './calls.ts'

describe('terms', () => {
  test('older ones are ignored', () => {
    const pacer = createPacer({ version: 3, concurrency: 4 })
    pacer.call({})
    pacer.call({ terms: termsOf({ version: 2, concurrency: 9 }) })
    expect(pacer.state.terms?.concurrency).toBe(4)
  })

  test('newer ones count at once', () => {
    const pacer = createPacer({ batch: BATCH })
    pacer.note(50)
    pacer.terms = termsOf({ version: 2, batch: { ...BATCH, maxEvents: 25 } })
    expect(pacer.call({})).toMatchObject({ kind: 'go', flush: 'full', requests: 2 })
  })

  test('without batching any more, what waited for its batch goes', () => {
    const pacer = createPacer({ batch: BATCH })
    pacer.note(50)
    pacer.terms = termsOf({ version: 2, concurrency: 60 })
    expect(pacer.call({})).toMatchObject({ kind: 'go', flush: 'none', places: 60 })
  })

  test('a faster rate does not wait for what the slower one would have', () => {
    const pacer = createPacer({ rate: { requests: 1, perSeconds: 3_600 } })
    pacer.note(5)
    pacer.terms = termsOf({ version: 2, rate: { requests: 1, perSeconds: 1 } })
    expect(pacer.call({})).toEqual({ kind: 'rest', wakeInMs: 740, shards: 1 })
  })

  test('without a rate any more nothing waits for a slot', () => {
    const pacer = createPacer({ rate: { requests: 1, perSeconds: 3_600 } })
    pacer.note(5)
    pacer.terms = termsOf({ version: 2, concurrency: 10 })
    expect(pacer.call({})).toMatchObject({ kind: 'go', requests: 4 })
  })
})

describe('what is stored', () => {
  test.each(['', 'null', '{"v":2}', '{"v":1,"subscriptionNo":1}'])(
    'unreadable text %j is forgotten',
    (text) => {
      expect(readPacerState(text)).toBeNull()
    },
  )

  test('a grant from before there were permits had one for each request', () => {
    const pacer = createPacer({ concurrency: 5 })
    pacer.note(3)
    const text = storePacerState(pacer.state).replace('"places":3,', '')
    expect(text).not.toContain('places')
    expect(readPacerState(text)?.leases).toMatchObject([{ requests: 3, places: 3 }])
  })

  test('a state comes back as it was, without its load', () => {
    const pacer = createPacer({ batch: BATCH, rate: { requests: 3, perSeconds: 7 }, concurrency: 5 })
    pacer.note(350)
    expect(readPacerState(storePacerState(pacer.state))).toEqual({
      ...pacer.state,
      load: newPacerState().load,
    })
  })
})

describe('the boundary', () => {
  const waits = { events: 2, bytes: 20, sinceMs: 1 }
  const wire: WirePacerCall = {
    v: 1,
    subscriptionNo: 1,
    nowMs: NOW_MS,
    terms: termsOf({ batch: BATCH }),
    noted: waits,
    seen: { ...waits, isDue: true },
    finished: { leaseId: 'b', unused: 1 },
    keeps: { leaseId: 'c', places: 3 },
    placesMax: 6,
    wants: true,
    leaseId: 'a',
  }

  test('a call travels under the members that earlier deploys know, and is read as it was', () => {
    const call = pacerCallSchema.parse(wire)
    expect(call).toMatchObject({
      arrived: waits,
      waiting: { ...waits, isDue: true },
      keepsPermits: { leaseId: 'c', permits: 3 },
      permitsMax: 6,
      wantsMore: true,
    })
    expect(toWireCall(call)).toEqual(wire)
  })

  test('a call of an earlier deploy keeps no permits and bounds none', () => {
    const { keeps: _, placesMax: __, ...earlier } = wire
    expect(pacerCallSchema.parse(earlier)).toMatchObject({ keepsPermits: null, permitsMax: null })
  })

  test.each([
    ['another version', { v: 2 }],
    ['negative counts', { noted: { events: -1, bytes: 0, sinceMs: 0 } }],
    ['no lease id', { leaseId: '' }],
    ['unknown members', { more: 1 }],
  ])('%s is refused', (_, wrong) => {
    expect(pacerCallSchema.safeParse({ ...wire, ...wrong }).success).toBe(false)
  })

  test('a reply is parsed to itself', () => {
    const reply = createPacer({ rate: { requests: 3, perSeconds: 7 } }).note(3)
    expect(pacerReplySchema.parse(reply)).toEqual(reply)
  })
})
