import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type ClaimClass, untilCalm } from '../../../../src/deliver/attempt/calm.ts'
import { InFlight } from '../../../../src/receiver/in-flight.ts'

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }))
afterEach(() => void vi.useRealTimers())

function isolate(requests: number, { isBusy = false } = {}) {
  const inFlight = new InFlight()
  const ends = Array.from({ length: requests }, (_, i) => inFlight.begin(i, Date.now()))
  const http = { stalls: { isBusy: () => isBusy } }
  const deps = { inFlight, attempt: { now: () => Date.now(), http } } as unknown as Parameters<
    typeof untilCalm
  >[0]
  return { deps, ends }
}

/** Milliseconds until a consumer may claim. */
async function waitOf(deps: Parameters<typeof untilCalm>[0], claimClass: ClaimClass) {
  const startedAtMs = Date.now()
  let tookMs = Number.NaN
  void untilCalm(deps, claimClass).then(() => {
    tookMs = Date.now() - startedAtMs
  })
  await vi.advanceTimersByTimeAsync(10_000)
  return tookMs
}

describe('a consumer takes its next claim', () => {
  test('at once while few requests have just gone out', async () => {
    expect(await waitOf(isolate(49).deps, 'other')).toBe(0)
  })

  test('once those that went out have been answered', async () => {
    const { deps, ends } = isolate(50, { isBusy: true })
    setTimeout(() => ends[0]?.(), 50)
    expect(await waitOf(deps, 'other')).toBe(50)
  })

  test('once those that went out wait for their receivers', async () => {
    expect(await waitOf(isolate(5_000).deps, 'other')).toBeLessThanOrEqual(60)
  })

  test('for unproven receivers beside more of the others', async () => {
    expect(await waitOf(isolate(199).deps, 'unproven')).toBe(0)
    expect(await waitOf(isolate(199).deps, 'other')).toBeGreaterThan(0)
  })

  test('for single events beside as many of the others', async () => {
    expect(await waitOf(isolate(399).deps, 'single')).toBe(0)
  })

  test('after half a second however busy the isolate is', async () => {
    expect(await waitOf(isolate(5_000, { isBusy: true }).deps, 'single')).toBeLessThanOrEqual(500)
  })
})
