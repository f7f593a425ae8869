import { checkRetries, type Retries } from './http/backoff.ts'

/** A `fetch` that takes its url as text. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export type PosthornOptions = {
  /** The relay's address, such as `https://hooks.example.com`. */
  url: string
  /** A key of a workspace, or the operator's. */
  key: string
  /** The workspace to act in, for the operator's key. A key of a workspace acts in its own. */
  workspace?: string | undefined
  /** The time for each attempt of a call, its answer included. Default 30,000. */
  timeoutMs?: number | undefined
  retries?: Partial<Retries> | undefined
  /** Instead of the platform's own: for a proxy, a service binding, a test. */
  fetch?: Fetch | undefined
}

/** Options that were checked. */
export type Settings = {
  origin: string
  key: string
  workspace: string | null
  timeoutMs: number
  retries: Retries
  fetch: Fetch
}

const TIMEOUT_MS = 30_000
/** What a header can carry. */
const HEADER_VALUE = /^[\x21-\x7e]+$/

/**
 * Checks options before anything is sent.
 *
 * @throws TypeError that names the option
 */
export function readOptions(options: PosthornOptions): Settings {
  const { url, key, workspace, timeoutMs = TIMEOUT_MS, retries } = options
  if (typeof key !== 'string' || !HEADER_VALUE.test(key)) {
    throw new TypeError('key must be a key of the relay, without blanks: is the variable set that holds it?')
  }
  if (workspace !== undefined && (typeof workspace !== 'string' || !HEADER_VALUE.test(workspace))) {
    throw new TypeError('workspace must be the id of a workspace, or left out')
  }
  if (!(timeoutMs > 0)) throw new TypeError('timeoutMs must be above 0')
  return {
    origin: originOf(url),
    key,
    workspace: workspace ?? null,
    timeoutMs,
    retries: checkRetries(retries ?? {}),
    // The platform's own is looked up at each call: tests replace it. Workers refuse it as a method of another object.
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
  }
}

function originOf(url: unknown): string {
  const hint = 'url must be the address of the relay, such as https://hooks.example.com'
  if (typeof url !== 'string' || !URL.canParse(url)) throw new TypeError(hint)
  const { protocol, username, password, search, hash, origin, pathname } = new URL(url)
  if (protocol !== 'https:' && protocol !== 'http:') throw new TypeError(`${hint}, not ${protocol}`)
  if (username !== '' || password !== '') throw new TypeError('url must not hold a password: use key')
  if (search !== '' || hash !== '') throw new TypeError(`${hint}, without ? and #`)
  return origin + pathname.replace(/(?:\/api)?(?:\/v1)?\/*$/, '')
}
