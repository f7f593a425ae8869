import { describe, expect, test } from 'vitest'
import { withoutFarTimes } from '../../../../src/pacing/pacer/set-back.ts'
import { LEASE_MS } from '../../../../src/pacing/pacer/state.ts'
import { BATCH, createPacer, NOW_MS } from './calls.ts'

const HOUR_MS = 3_600_000
const RATE = { requests: 10, perSeconds: 10 }
const DUE = { events: 30, bytes: 300, sinceMs: NOW_MS, isDue: true }

describe('after the clock was set back by an hour', () => {
  test('a limit lets requests start again at once, a burst behind', () => {
    const pacer = createPacer({ rate: RATE })
    pacer.call({ waiting: DUE })
    pacer.nowMs -= HOUR_MS
    const reply = pacer.call({ waiting: DUE })
    expect(reply.kind === 'go' || (pacer.wakeInMs() ?? HOUR_MS) < 2_000).toBe(true)
    pacer.nowMs += 2_000
    expect(pacer.call({ waiting: DUE })).toMatchObject({ kind: 'go' })
  })

  test('permits of grants whose consumers never reported are free again', () => {
    const pacer = createPacer({ concurrency: 2 })
    expect(pacer.call({ waiting: DUE })).toMatchObject({ kind: 'go', places: 2 })
    expect(pacer.call({ waiting: DUE })).toMatchObject({ kind: 'rest' })
    pacer.nowMs -= HOUR_MS
    expect(pacer.call({})).toMatchObject({ kind: 'go', places: 2 })
  })

  test('a batch waits for its time from then on, not for an hour more', () => {
    const pacer = createPacer({ batch: BATCH })
    pacer.note(5)
    pacer.nowMs -= HOUR_MS
    pacer.call({})
    expect(pacer.wakeInMs()).toBe(BATCH.maxWaitMs)
    pacer.nowMs += BATCH.maxWaitMs
    expect(pacer.call({})).toMatchObject({ kind: 'go', flush: 'all', cause: 'wait' })
  })
})

test('times that can be set are left as they are, by a consumer whose clock is a little behind too', () => {
  const pacer = createPacer({ rate: RATE, concurrency: 5, batch: BATCH })
  pacer.call({ waiting: { events: 1_000, bytes: 10_000, sinceMs: NOW_MS, isDue: true } })
  pacer.note(5)
  expect(pacer.state.leases[0]?.endsAtMs).toBe(NOW_MS + LEASE_MS)
  for (const nowMs of [NOW_MS, NOW_MS - 10_000, NOW_MS + LEASE_MS]) {
    expect(withoutFarTimes(pacer.state, nowMs)).toEqual(pacer.state)
  }
})
