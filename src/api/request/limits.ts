import type { MiddlewareHandler } from 'hono'
import { invalidField, RelayError } from '../../model/errors.ts'

/** Characters of a path with its query: far below the platform's 16 KB, so that the refusal is the relay's own. */
export const URL_CHARS_MAX = 8_192
/** Headers of a request, and their bytes: proxies on the way add some thirty. */
export const HEADERS_MAX = 100
export const HEADER_BYTES_MAX = 8_192
export const HEADERS_BYTES_MAX = 32_768
/** Query parameters; no call has as many as fifteen. */
export const PARAMETERS_MAX = 50
export const PARAMETER_CHARS_MAX = 2_048

/** Refuses a request whose head is larger than any call needs, before anything of it is looked at. */
export const limitHead: MiddlewareHandler = async (c, next) => {
  requireHead(c.req.raw)
  await next()
}

/** Throws the refusal of a request whose URL, headers or query parameters are too many or too large. */
export function requireHead({ url, headers }: Pick<Request, 'url' | 'headers'>): void {
  const path = url.slice(url.indexOf('/', 'https://'.length))
  if (path.length > URL_CHARS_MAX) throw uriTooLong()
  requireHeaders(headers)
  const at = path.indexOf('?')
  if (at !== -1) requireParameters(path.slice(at + 1))
}

function requireHeaders(headers: Headers): void {
  let count = 0
  let bytes = 0
  for (const [name, value] of headers) {
    const own = name.length + value.length
    if (own > HEADER_BYTES_MAX)
      throw headersTooLarge(name, `must be at most ${shown(HEADER_BYTES_MAX)} bytes`)
    count++
    bytes += own
  }
  if (count > HEADERS_MAX) throw headersTooLarge('headers', `must be at most ${HEADERS_MAX}`)
  if (bytes > HEADERS_BYTES_MAX) {
    throw headersTooLarge('headers', `must be at most ${shown(HEADERS_BYTES_MAX)} bytes together`)
  }
}

function requireParameters(query: string): void {
  const parameters = query.split('&')
  if (parameters.length > PARAMETERS_MAX) {
    throw invalidField('query', `must have at most ${PARAMETERS_MAX} parameters`)
  }
  const long = parameters.find(({ length }) => length > PARAMETER_CHARS_MAX)
  if (long === undefined) return
  const [name = ''] = long.split('=')
  throw invalidField(
    name.slice(0, 100),
    `must be at most ${shown(PARAMETER_CHARS_MAX)} characters, with its name and as it is encoded`,
  )
}

function uriTooLong(): RelayError {
  const message = `must be at most ${shown(URL_CHARS_MAX)} characters, with its query`
  return new RelayError('uri_too_long', `The path ${message}.`, { details: [{ path: 'path', message }] })
}

function headersTooLarge(path: string, message: string): RelayError {
  return new RelayError('headers_too_large', `${path}: ${message}`, { details: [{ path, message }] })
}

function shown(count: number): string {
  return count.toLocaleString('en-US')
}
