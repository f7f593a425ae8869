import { BoundedMap } from '../../base/concurrency/bounded-map.ts'
import { withinMs } from '../../base/concurrency/wait.ts'
import { isIpAddress } from '../../base/public-address.ts'
import { type DnsAnswer, queryDns } from './dns-query.ts'

/** The addresses of a host, at least one; or that it has none; or that nothing could be learnt, and why. */
export type Lookup =
  | { kind: 'found'; addresses: readonly string[] }
  | { kind: 'none' }
  | { kind: 'failed'; message: string }

export type ResolverDeps = {
  /** The server of DNS over HTTPS. */
  server: string
  fetch: typeof fetch
  now: () => number
  userAgent: string
}

/** Time for all questions about one host. Two hosts, of a receiver and its token server, fit into a claim's margin. */
export const LOOKUP_TIMEOUT_MS = 2_000
/** Waiting for another invocation's look-up ends then: that invocation may have been cancelled. */
const JOIN_MS_MAX = LOOKUP_TIMEOUT_MS + 500
/** Longest use of an answer, whatever life it names. */
const KEPT_MS_MAX = 60_000
/** That a host has no address is believed this long. */
const NONE_MS = 5_000
/** A host of which nothing could be learnt is left alone this long: each waiting delivery would wait anew. */
const FAILED_MS = 1_000
/** Most hosts whose answers an isolate keeps. */
const HOSTS_MAX = 2_000

type Kept = { untilMs: number; lookup: Lookup }
type Flight = { sinceMs: number; lookup: Promise<Lookup> }

/** Finds the addresses of hosts by DNS over HTTPS. Each host is asked for once at a time, and kept for its time to live. */
export class HostResolver {
  readonly #deps: ResolverDeps
  readonly #kept = new BoundedMap<string, Kept>(HOSTS_MAX)
  readonly #flights = new BoundedMap<string, Flight>(HOSTS_MAX)

  constructor(deps: ResolverDeps) {
    this.#deps = deps
  }

  /** Looks a host name up. Never rejects. */
  async lookUp(host: string): Promise<Lookup> {
    const nowMs = this.#deps.now()
    const kept = this.#kept.get(host)
    if (kept !== undefined && nowMs < kept.untilMs) return kept.lookup
    const known = this.#flights.get(host)
    if (known !== undefined && nowMs - known.sinceMs < JOIN_MS_MAX) return await join(known)
    const flight: Flight = { sinceMs: nowMs, lookup: this.#ask(host, nowMs) }
    this.#flights.set(host, flight)
    try {
      return await flight.lookup
    } finally {
      if (this.#flights.peek(host) === flight) this.#flights.delete(host)
    }
  }

  async #ask(host: string, nowMs: number): Promise<Lookup> {
    const { lookup, keptMs } = await ask(this.#deps, host)
    // Counted from the question: the answer may have been on its way for long.
    this.#kept.set(host, { untilMs: nowMs + keptMs, lookup })
    return lookup
  }
}

async function join({ lookup }: Flight): Promise<Lookup> {
  return await withinMs(JOIN_MS_MAX, lookup, () => failed(`did not answer within ${JOIN_MS_MAX / 1000} s`))
}

async function ask(deps: ResolverDeps, host: string): Promise<{ lookup: Lookup; keptMs: number }> {
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), LOOKUP_TIMEOUT_MS)
  const query = (record: 'A' | 'AAAA') => queryDns(deps, { server: deps.server, host, record }, abort.signal)
  try {
    return combine(await Promise.all([query('A'), query('AAAA')]))
  } catch {
    const message = abort.signal.aborted
      ? `did not answer within ${LOOKUP_TIMEOUT_MS / 1000} s`
      : 'could not be reached, or broke off its answer'
    return { lookup: failed(message), keptMs: FAILED_MS }
  } finally {
    clearTimeout(timer)
    abort.abort()
  }
}

/** Both kinds of addresses must be known: a request may take either. */
function combine(answers: readonly DnsAnswer[]): { lookup: Lookup; keptMs: number } {
  const refused = answers.find((answer) => !answer.ok)
  if (refused !== undefined && !refused.ok) return { lookup: failed(refused.message), keptMs: FAILED_MS }
  const found = answers.flatMap((answer) => (answer.ok && answer.addresses.length > 0 ? [answer] : []))
  const addresses = found.flatMap((answer) => answer.addresses)
  if (addresses.length === 0) return { lookup: { kind: 'none' }, keptMs: NONE_MS }
  if (!addresses.every(isIpAddress)) {
    return { lookup: failed('answered with an address that is none'), keptMs: FAILED_MS }
  }
  const lifeMs = Math.min(...found.map(({ ttlSeconds }) => ttlSeconds)) * 1000
  return { lookup: { kind: 'found', addresses }, keptMs: Math.min(lifeMs, KEPT_MS_MAX) }
}

function failed(message: string): Lookup {
  return { kind: 'failed', message: `the DNS server of this relay ${message}` }
}
