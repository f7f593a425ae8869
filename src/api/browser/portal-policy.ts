/** Origins that the operator names for the portal. */
export type PortalOrigins = {
  /** Their pages may show it in a frame. */
  frameAncestors: readonly string[]
  /** It shows customers' logos that lie there. */
  logos: readonly string[]
}

/** True for the pages that customers see. */
export function isPortal(pathname: string): boolean {
  return pathname === '/portal' || pathname.startsWith('/portal/')
}

/** A page's Content-Security-Policy with what the operator's origins may do in the portal. */
export function portalPolicy(policy: string, { frameAncestors, logos }: PortalOrigins): string {
  const framed =
    frameAncestors.length === 0
      ? policy
      : policy.replace("frame-ancestors 'none'", `frame-ancestors ${frameAncestors.join(' ')}`)
  return logos.length === 0 ? framed : framed.replace("img-src 'self'", `img-src 'self' ${logos.join(' ')}`)
}
