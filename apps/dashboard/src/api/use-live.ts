import { useIsStreamOpen } from '../live/stream-state.ts'

/** How often a page that is looked at asks again. Hidden tabs do not ask. */
const ASK_MS = 4_000
/** The same while the stream tells of deliveries: for what changes without one. */
const TOLD_ASK_MS = 10_000

/** Options of a query whose page is kept up to date while it is looked at. */
export type Live = { refetchInterval: number }

/** Keeps what a page has read of deliveries up to date while it is looked at: told by the stream, or else asked for. */
export function useLive(askMs = ASK_MS): Live {
  return { refetchInterval: useIsStreamOpen() ? Math.max(askMs, TOLD_ASK_MS) : askMs }
}

/** The same for what the stream does not tell of. */
export function usePolled(): Live {
  return { refetchInterval: ASK_MS }
}
