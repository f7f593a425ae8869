import type { Context, MiddlewareHandler } from 'hono'
import type { AppEnv } from '../context.ts'

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE'
const REQUEST_HEADERS = 'Authorization, Content-Type, Idempotency-Key, MCP-Protocol-Version, X-Company-Id'
const ANSWER_HEADERS =
  'Allow, Idempotent-Replayed, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id'
/** Browsers keep a preflight's answer at most so long. */
const PREFLIGHT_SECONDS = '7200'

/**
 * Lets pages of the named origins call the API. Callers show a bearer token and no cookie, so credentials are never
 * allowed; the pages of all other origins, and all of them where none is named, are kept out by their browsers.
 */
export function allowOrigins(
  originsOf: (c: Context<AppEnv>) => Promise<readonly string[]>,
): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const origins = await originsOf(c)
    if (origins.length === 0) return await next()
    const origin = c.req.header('Origin')
    const isAllowed = origin !== undefined && origins.includes(origin)
    const isPreflight =
      c.req.method === 'OPTIONS' && c.req.header('Access-Control-Request-Method') !== undefined
    if (isAllowed && isPreflight) c.res = preflightAnswer()
    else await next()
    // An answer that a cache has kept for one origin is none for another.
    const { headers } = c.res
    headers.append('Vary', 'Origin')
    if (!isAllowed) return
    headers.set('Access-Control-Allow-Origin', origin)
    headers.set('Access-Control-Expose-Headers', ANSWER_HEADERS)
  }
}

function preflightAnswer(): Response {
  return new Response(null, {
    status: 204,
    headers: {
      'Access-Control-Allow-Methods': METHODS,
      'Access-Control-Allow-Headers': REQUEST_HEADERS,
      'Access-Control-Max-Age': PREFLIGHT_SECONDS,
    },
  })
}
