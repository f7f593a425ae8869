import { expect, test } from 'vitest'
import { waitingFor } from '../../../src/subscription/waiting-for.ts'

const NOW_MS = 1_000_000

type Case = {
  state?: 'pending' | 'failed'
  dueAtMs?: number | null
  pausedAtMs?: number | null
  breaker?: { faultsInRow?: number; heldUntilMs?: number; throttledUntilMs?: number }
  settings?: object
}

function waits({ state = 'pending', dueAtMs = null, pausedAtMs = null, breaker, settings }: Case) {
  const receiver = {
    pausedAtMs,
    breaker: { faultsInRow: 0, heldUntilMs: 0, throttledUntilMs: 0, ...breaker },
    settings: { ordered: false, batchSettings: null, rateLimit: null, concurrency: null, ...settings },
  }
  const delivery = { state, dueAtMs, acceptedAtMs: NOW_MS - 1_000 }
  return waitingFor(delivery, receiver as unknown as Parameters<typeof waitingFor>[1], NOW_MS)
}

const LATER = NOW_MS + 60_000
const OPEN = { faultsInRow: 10, heldUntilMs: LATER }

test.each<[string, Case, ReturnType<typeof waitingFor>]>([
  ['its turn, where nothing keeps it', {}, { reason: 'turn', untilMs: null }],
  ['the time of its next attempt', { state: 'failed', dueAtMs: LATER }, { reason: 'retry', untilMs: LATER }],
  ['the time it is scheduled for', { dueAtMs: LATER }, { reason: 'schedule', untilMs: LATER }],
  ['a pause', { pausedAtMs: 1, breaker: OPEN, dueAtMs: LATER }, { reason: 'paused', untilMs: null }],
  ['a breaker', { breaker: OPEN }, { reason: 'breaker', untilMs: LATER }],
  ['a probe', { breaker: { faultsInRow: 11, heldUntilMs: 5 } }, { reason: 'breaker', untilMs: null }],
  ['a Retry-After', { breaker: { throttledUntilMs: LATER } }, { reason: 'retry_after', untilMs: LATER }],
  [
    'the later of a breaker and its next attempt',
    { state: 'failed', dueAtMs: LATER + 1, breaker: OPEN },
    { reason: 'retry', untilMs: LATER + 1 },
  ],
  ['those before it in its order', { settings: { ordered: true } }, { reason: 'order', untilMs: null }],
  [
    'its batch to fill or its time',
    { settings: { batchSettings: { enabled: true, maxWaitTime: 5 } } },
    { reason: 'batch', untilMs: NOW_MS + 4_000 },
  ],
  ['a limit', { settings: { concurrency: 1 } }, { reason: 'limit', untilMs: null }],
])('an outstanding delivery waits for %s', (_, given, expected) => {
  expect(waits(given)).toEqual(expected)
})
