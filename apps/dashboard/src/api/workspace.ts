/** Addresses of another workspace than the caller's own begin so: `/w/acme/subscriptions`. */
const PREFIX = /^\/w\/([A-Za-z0-9_-]{1,128})(?=\/|$)/

/** The workspace that the address names; null for the caller's own. It changes with a load of the page only. */
export const addressedWorkspace: string | null = PREFIX.exec(window.location.pathname)?.[1] ?? null

/** True for the pages that customers see: they are opened by a link, and frames of the operator's pages may show them. */
export const isPortal = /^\/portal(\/|$)/.test(window.location.pathname)

/** The part of every address that stands before the page's own. */
export const basename = isPortal ? '/portal' : addressedWorkspace === null ? '/' : `/w/${addressedWorkspace}`

/** Shows another workspace, with nothing of this one left in memory. */
export function openWorkspace(id: string): void {
  window.location.assign(`/w/${id}/`)
}
