const NOWHERE = "frame-ancestors 'none'"

/** True for the path of the page that customers see. */
export function isPortal(pathname: string): boolean {
  return pathname === '/portal' || pathname === '/portal/'
}

/** A Content-Security-Policy that lets the pages of some origins show the page in a frame. */
export function framedBy(policy: string, origins: readonly string[]): string {
  return origins.length === 0 ? policy : policy.replace(NOWHERE, `frame-ancestors ${origins.join(' ')}`)
}
