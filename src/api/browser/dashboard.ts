import type { Context } from 'hono'
import type { AppEnv } from '../context.ts'

/** First parts of paths that are calls: none of them is a page, in whatever form an answer is asked for. */
const NO_PAGES: ReadonlySet<string> = new Set([
  ...['api', 'v1', 'in', 'mcp', 'jwks', 'healthz', 'metrics', 'openapi.json'],
])
/** First parts of pages that are handed on as addresses: they are there for who takes any form, such as curl. */
const KNOWN_PAGES: ReadonlySet<string> = new Set(['docs', 'portal'])
/** Names of these files hold a hash of their contents. */
const HASHED = '/assets/'
const KEEP_FOR_GOOD = 'public, max-age=31536000, immutable'

/** A page runs the relay's own files and talks to the relay alone. */
const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': [
    "default-src 'none'",
    ...["script-src 'self'", "style-src 'self'", "img-src 'self' data:", "font-src 'self'"],
    ...["connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
  ].join('; '),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'Cache-Control': 'no-cache',
}

/**
 * Answers a request for the dashboard: its files, and one document at the address of each page, which finds out itself
 * what is to be shown there. Null for everything else, and where the relay is deployed without its assets.
 */
export async function dashboardAnswer(c: Context<AppEnv>): Promise<Response | null> {
  const assets: Fetcher | undefined = c.env.ASSETS
  const request = c.req.raw
  if (assets === undefined || !['GET', 'HEAD'].includes(request.method)) return null
  const { pathname } = new URL(request.url)
  const [, first = ''] = pathname.split('/')
  if (NO_PAGES.has(first)) return null
  const found = await assets.fetch(request)
  if (found.status < 400) return dressed(found, pathname)
  if (pathname.startsWith(HASHED) || !takesPage(c.req.header('Accept') ?? '*/*', first)) return null
  const page = await assets.fetch(new Request(new URL('/', request.url), request))
  return page.status < 400 ? dressed(page, '/') : null
}

function takesPage(accept: string, first: string): boolean {
  return accept.includes('text/html') || (KNOWN_PAGES.has(first) && accept.includes('*/*'))
}

function dressed(found: Response, pathname: string): Response {
  const answer = new Response(found.body, found)
  const isPage = answer.headers.get('Content-Type')?.startsWith('text/html') === true
  const headers = isPage ? PAGE_HEADERS : { 'Cache-Control': cachingOf(pathname) }
  for (const [name, value] of Object.entries(headers)) answer.headers.set(name, value)
  return answer
}

function cachingOf(pathname: string): string {
  return pathname.startsWith(HASHED) ? KEEP_FOR_GOOD : 'no-cache'
}
