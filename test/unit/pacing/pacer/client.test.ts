import { describe, expect, test, vi } from 'vitest'
import { Pacers } from '../../../../src/pacing/pacer/client.ts'
import type { PacerCall, PacerReply } from '../../../../src/pacing/pacer/protocol.ts'
import { SAYS_NOTHING } from '../../../support/rig/pacer-call.ts'

const REST: PacerReply = { kind: 'rest', wakeInMs: null, shards: 1 }
const ARRIVED = { events: 1, bytes: 1, sinceMs: 1 }

function callOf(call: Partial<PacerCall>): PacerCall {
  return { subscriptionNo: 7, nowMs: 1, ...SAYS_NOTHING, wantsMore: true, leaseId: 'a', ...call }
}

function goOf(leaseId: string, shards: number): PacerReply {
  const grant = {
    requests: 1,
    places: null,
    reuse: false,
    startInMs: 0,
    everyMs: 0,
    flush: 'all' as const,
    cause: 'wait' as const,
  }
  return { kind: 'go', leaseId, ...grant, shards }
}

/** Pacers that answer what a test says; `called` has their names in order. */
function createPacers(answer: (name: string, times: number) => unknown, random = () => 0.99) {
  const called: string[] = []
  const turn = async (name: string): Promise<unknown> => {
    called.push(name)
    return answer(name, called.length)
  }
  const forget = async (name: string): Promise<boolean> => (await turn(name)) === 'forgot'
  const namespace = { getByName: (name: string) => ({ turn: () => turn(name), forget: () => forget(name) }) }
  return { called, pacers: new Pacers(namespace, random) }
}

function failing(marks: object): Error {
  return Object.assign(new Error('gone'), marks)
}

describe('whom a call goes to', () => {
  test('the only pacer of a subscription is named after it', async () => {
    const { pacers, called } = createPacers(() => REST)
    await pacers.call(callOf({ arrived: ARRIVED }))
    expect(called).toEqual(['7'])
  })

  test('arrivals are spread over as many pacers as the first one says', async () => {
    const { pacers, called } = createPacers(() => ({ ...REST, shards: 4 }))
    await pacers.call(callOf({ arrived: ARRIVED }))
    await pacers.call(callOf({ arrived: ARRIVED }))
    expect(called).toEqual(['7', '7/3'])
  })

  test('what another one says of their number does not count', async () => {
    const { pacers, called } = createPacers((name) => ({ ...REST, shards: name === '7' ? 4 : 1 }))
    for (let i = 0; i < 3; i++) await pacers.call(callOf({ arrived: ARRIVED }))
    expect(called).toEqual(['7', '7/3', '7/3'])
  })

  test('looks and alarms go to the first', async () => {
    const { pacers, called } = createPacers(() => ({ ...REST, shards: 4 }))
    await pacers.call(callOf({}))
    await pacers.call(callOf({}))
    await pacers.call(
      callOf({ arrived: ARRIVED, waiting: { events: 1, bytes: 1, sinceMs: 1, isDue: false } }),
    )
    expect(called).toEqual(['7', '7', '7'])
  })

  test('a report goes to the one that gave the grant, as does what follows upon it', async () => {
    const { pacers, called } = createPacers((_, times) => goOf(`lease-${times}`, 4))
    await pacers.call(callOf({ arrived: ARRIVED }))
    await pacers.call(callOf({ arrived: ARRIVED }))
    await pacers.call(callOf({ finished: { leaseId: 'lease-2', unused: 0 } }))
    await pacers.call(callOf({ finished: { leaseId: 'lease-3', unused: 0 } }))
    await pacers.call(callOf({ finished: { leaseId: 'lease-1', unused: 0 } }))
    expect(called).toEqual(['7', '7/3', '7/3', '7/3', '7'])
  })

  test('other subscriptions have their own', async () => {
    const { pacers, called } = createPacers(() => ({ ...REST, shards: 4 }))
    await pacers.call(callOf({ arrived: ARRIVED }))
    await pacers.call(callOf({ arrived: ARRIVED, subscriptionNo: 8 }))
    expect(called).toEqual(['7', '8'])
  })
})

describe('a pacer that cannot be reached', () => {
  test('is called again where that may help', async () => {
    const { pacers } = createPacers((_, times) => {
      if (times < 3) throw failing({ retryable: true })
      return REST
    })
    expect(await pacers.call(callOf({}))).toEqual(REST)
  })

  test.each([
    ['three times at most', { retryable: true }, 3],
    ['not when it is overloaded', { retryable: true, overloaded: true }, 1],
    ['not when it failed by itself', {}, 1],
  ])('%s', async (_, marks, times) => {
    const { pacers, called } = createPacers(() => {
      throw failing(marks)
    })
    await expect(pacers.call(callOf({}))).rejects.toThrow('gone')
    expect(called).toHaveLength(times)
  })

  test('an answer that is none is refused', async () => {
    const { pacers } = createPacers(() => ({ kind: 'maybe' }))
    await expect(pacers.call(callOf({}))).rejects.toThrow()
  })
})

test('a pacer that does not answer is not waited for, and not called again', async () => {
  vi.useFakeTimers()
  try {
    const { pacers, called } = createPacers(() => new Promise(() => undefined))
    const failed = expect(pacers.call(callOf({}))).rejects.toThrow('did not answer')
    await vi.advanceTimersByTimeAsync(10_000)
    await failed
    expect(called).toEqual(['7'])
  } finally {
    vi.useRealTimers()
  }
})

describe('forgetting', () => {
  test('one that was in use has all its shards forget', async () => {
    const { pacers, called } = createPacers(() => 'forgot')
    await pacers.forget(7)
    expect(called).toEqual(['7', ...Array.from({ length: 15 }, (_, i) => `7/${i + 1}`)])
  })

  test('one that never was is asked alone', async () => {
    const { pacers, called } = createPacers(() => 'had nothing')
    await pacers.forget(7)
    expect(called).toEqual(['7'])
  })
})
