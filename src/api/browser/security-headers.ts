import type { Context, MiddlewareHandler } from 'hono'
import type { AppEnv } from '../context.ts'
import { isPortal, type PortalOrigins, portalPolicy } from './portal-policy.ts'

/** A year, as browsers' preload lists ask for. The relay speaks for its own host name only, not for those below it. */
const HSTS = 'max-age=31536000'

const POLICY = 'Content-Security-Policy'

/** Headers of every answer that has none of its own of that name. An answer is data: nothing in it may run or be framed. */
const HEADERS: Readonly<Record<string, string>> = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  [POLICY]: "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
}

/**
 * Makes an answer be of the type it says, stay out of caches and frames, and run nothing, unless it allows that itself;
 * over https, browsers are told to stay there.
 */
export function secureAnswers(
  portalOriginsOf: (c: Context<AppEnv>) => Promise<PortalOrigins>,
): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    await next()
    // Set on the answer itself: `c.header` builds an answer that is there already anew for each header.
    const { headers } = c.res
    for (const [name, value] of Object.entries(HEADERS)) {
      if (!headers.has(name)) headers.set(name, value)
    }
    if (isPortal(c.req.path))
      headers.set(POLICY, portalPolicy(headers.get(POLICY) ?? '', await portalOriginsOf(c)))
    if (c.req.url.startsWith('https:')) headers.set('Strict-Transport-Security', HSTS)
  }
}
