import { describe, expect, test } from 'vitest'
import { createPacer, NOW_MS, termsOf } from './calls.ts'

describe('slots that a grant did not need', () => {
  const limited = () => {
    const pacer = createPacer({ rate: { requests: 10, perSeconds: 1 } })
    pacer.note(5)
    return pacer
  }

  test('are given out again while they are still to come', () => {
    const pacer = limited()
    pacer.nowMs += 162
    pacer.finish('lease-1', { events: 5 }, 2)
    expect(pacer.call({})).toMatchObject({ kind: 'go', startInMs: 150 })
  })

  test('are lost when later ones have been given out', () => {
    const pacer = limited()
    pacer.nowMs += 474
    pacer.note(1)
    pacer.finish('lease-1', { events: 5 }, 5)
    expect(pacer.call({})).toMatchObject({ kind: 'go', startInMs: 150 })
  })

  test('are lost once their time has passed: nobody knows which were used', () => {
    const pacer = limited()
    pacer.nowMs += 420
    pacer.finish('lease-1', { events: 5 }, 3)
    expect(pacer.call({})).toMatchObject({ kind: 'go', startInMs: 100 })
  })

  test('are lost when the rate has changed: they were worth something else', () => {
    const pacer = limited()
    pacer.terms = termsOf({ version: 2, rate: { requests: 1, perSeconds: 1 } })
    pacer.finish('lease-1', { events: 5 }, 5)
    expect(pacer.call({})).toEqual({ kind: 'rest', wakeInMs: 220, shards: 1 })
  })

  test('are all given out again where none was used', () => {
    const pacer = limited()
    pacer.finish('lease-1', { events: 5 }, 5)
    expect(pacer.call({})).toMatchObject({ kind: 'go', startInMs: 0, requests: 5 })
  })
})

describe('grants that carry nothing although something is said to rest', () => {
  const fruitless = (times: number) => {
    const pacer = createPacer({ concurrency: 5 })
    for (let i = 0; i < times; i++) {
      pacer.call({ waiting: { events: 5, bytes: 0, sinceMs: NOW_MS, isDue: true }, leaseId: 'a' })
      pacer.finish('a', { events: 5, isDue: true }, 1_000)
    }
    return pacer
  }

  test.each([
    [4, 1],
    [5, 250],
    [6, 500],
    [30, 30_000],
  ])('after %d of them somebody is woken in %d ms', (times, wakeInMs) => {
    expect(fruitless(times).wakeInMs()).toBe(wakeInMs)
  })

  test('the first that carries something ends that', () => {
    const pacer = fruitless(30)
    pacer.call({ leaseId: 'a' })
    pacer.finish('a', { events: 5 }, 4)
    expect(pacer.wakeInMs()).toBe(1)
  })
})
