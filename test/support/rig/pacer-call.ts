import type { PacerCall } from '../../../src/pacing/pacer/protocol.ts'

/** What a call of a pacer has to say, where it says nothing. */
export const SAYS_NOTHING = {
  terms: null,
  noted: null,
  seen: null,
  finished: null,
  keeps: null,
  placesMax: null,
} satisfies Partial<PacerCall>
