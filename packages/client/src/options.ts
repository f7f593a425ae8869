import { checkRetries, type Retries } from './http/backoff.ts'
import { checkTimeoutMs } from './http/wait.ts'

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
const WORKSPACE_ID = /^[A-Za-z0-9_-]{1,128}$/

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
  if (workspace !== undefined) checkWorkspace(workspace)
  checkTimeoutMs(timeoutMs)
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

/** @throws TypeError for what is no id of a workspace */
export function checkWorkspace(workspace: unknown): void {
  if (typeof workspace === 'string' && WORKSPACE_ID.test(workspace)) return
  throw new TypeError('workspace must be the id of a workspace: 1-128 characters of A-Z a-z 0-9 _ -')
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
