import type { PacerCall } from '../../../src/pacing/pacer/protocol.ts'

/** The members of a call that reports nothing. */
export const SAYS_NOTHING = {
  terms: null,
  arrived: null,
  waiting: null,
  finished: null,
  keepsPermits: null,
  permitsMax: null,
} satisfies Partial<PacerCall>
