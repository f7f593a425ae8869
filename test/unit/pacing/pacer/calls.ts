import { answerPacerCall } from '../../../../src/pacing/pacer/decide.ts'
import type { PacerCall, PacerReply } from '../../../../src/pacing/pacer/protocol.ts'
import { newPacerState, type PacerState } from '../../../../src/pacing/pacer/state.ts'
import type { PacerTerms } from '../../../../src/pacing/settings.ts'
import { SAYS_NOTHING } from '../../../support/rig/pacer-call.ts'

export const NOW_MS = Date.UTC(2026, 10, 2, 12)
export const BATCH = { maxEvents: 100, maxBytes: 10_000, maxWaitMs: 30_000 }

export function termsOf(terms: Partial<PacerTerms>): PacerTerms {
  return { version: 1, batch: null, rate: null, concurrency: null, ...terms }
}

/** A pacer with a clock; what it is called with is filled up with what says nothing. */
export function createPacer(terms: Partial<PacerTerms>) {
  let leases = 0
  const pacer = {
    nowMs: NOW_MS,
    state: newPacerState() as PacerState,
    wakeAtMs: null as number | null,
    terms: termsOf(terms),
    call: (call: Partial<PacerCall>): PacerReply => {
      const { state, reply, wakeAtMs } = answerPacerCall(pacer.state, {
        subscriptionNo: 7,
        nowMs: pacer.nowMs,
        ...SAYS_NOTHING,
        terms: pacer.terms,
        wantsMore: true,
        leaseId: `lease-${++leases}`,
        ...call,
      })
      Object.assign(pacer, { state, wakeAtMs })
      return reply
    },
    /** Notes events of 10 bytes each, accepted just now. */
    note: (events: number, bytes = events * 10, wantsMore = true) =>
      pacer.call({ arrived: { events, bytes, sinceMs: pacer.nowMs }, wantsMore }),
    /** Reports a grant, with what was left in D1 after its claim. */
    finish: (
      leaseId: string,
      left: { events: number; isDue?: boolean } | null,
      unused = 0,
      wantsMore = false,
    ) =>
      pacer.call({
        finished: { leaseId, unused },
        waiting: left && { bytes: left.events * 10, sinceMs: pacer.nowMs, isDue: false, ...left },
        wantsMore,
      }),
    wakeInMs: () => (pacer.wakeAtMs === null ? null : pacer.wakeAtMs - pacer.nowMs),
  }
  return pacer
}

/** A grant's requests one by one: when each may start. */
export function startsOf(reply: PacerReply, nowMs: number, unused = 0): number[] {
  if (reply.kind !== 'go') return []
  const { requests, startInMs, everyMs } = reply
  return Array.from({ length: requests - unused }, (_, i) => nowMs + startInMs + i * everyMs)
}
