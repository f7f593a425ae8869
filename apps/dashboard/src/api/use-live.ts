/** How often a page that is looked at asks again. Hidden tabs do not ask. */
const LIVE_MS = 4_000

/** Options of a query whose page is kept up to date while it is looked at. */
export type Live = { refetchInterval: number }

/** Keeps what a page has read up to date while it is looked at. */
export function useLive(): Live {
  return { refetchInterval: LIVE_MS }
}
