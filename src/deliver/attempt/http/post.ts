import type { Drain } from '../../../base/concurrency/drain.ts'
import type { StallMeter } from '../../../base/concurrency/stall-meter.ts'
import { describeError } from '../../../base/log.ts'
import { readCapped } from '../../../base/read-capped.ts'
import type { KeptConnections } from './kept-connections.ts'

/** One HTTP request to a receiver. */
export type PostRequest = {
  url: string
  headers: Record<string, string>
  body: Uint8Array<ArrayBuffer>
  timeoutMs: number
  /** Takes credentials out of the answer's text, before it is cut; null where the request carries none. */
  redact: ((text: string) => string) | null
  /** Sends the request in place of the relay's own `fetch`: it presents a client certificate. */
  fetch?: typeof fetch
}

/** The beginning of an answer, which may have no end. */
export type ResponseHead = Pick<Response, 'status' | 'headers'> & {
  firstByteMs: number
  /** Takes credentials out of a header's value; null where the request carried none. */
  redact: PostRequest['redact']
}

/** The answer to a request, or the fault that kept it from us. */
export type PostResult =
  | {
      kind: 'response'
      status: number
      retryAfter: string | null
      viaCloudflare: boolean
      text: string
      latencyMs: number
      head: ResponseHead
    }
  | {
      kind: 'fault'
      error: 'timeout_headers' | 'timeout_body' | 'connection' | 'dns_or_tls' | 'stalled'
      latencyMs: number
      /** The platform's own words for it; empty where it has none. */
      text: string
      /** The answer whose body did not come to its end; null where no head had come. */
      head: ResponseHead | null
    }

export type PostDeps = {
  fetch: typeof fetch
  now: () => number
  /** Standstills of the relay itself, which are no receiver's. */
  stalls: Pick<StallMeter, 'totalMs' | 'watch' | 'isBusy'>
  connections: KeptConnections
  /** No request begins while the relay is stopping. */
  drain: Pick<Drain, 'begin'>
}

/** Characters of a response that are kept. */
export const RESPONSE_CHARS_MAX = 16_384

/** Bounds of reading: more characters than are kept, so that a credential across the cut is found whole. */
const READ_MAX = { bytesMax: 65_536, charsMax: 2 * RESPONSE_CHARS_MAX }

/**
 * The relay's only outbound request. The timeout starts here, so call it inside a slot; it covers headers and body.
 * Redirects are not followed. Never throws for the receiver's faults.
 */
export async function post(deps: PostDeps, request: PostRequest): Promise<PostResult> {
  return await deps.drain.begin(() => exchange(deps, request))
}

async function exchange(deps: PostDeps, request: PostRequest): Promise<PostResult> {
  const startedAtMs = deps.now()
  const stalledBeforeMs = deps.stalls.totalMs()
  const stalledMs = () => deps.stalls.totalMs() - stalledBeforeMs
  const latencyMs = () => Math.max(0, deps.now() - startedAtMs - stalledMs())
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), request.timeoutMs)
  let head: ResponseHead | null = null
  try {
    const send = request.fetch ?? deps.fetch
    const response = await send(request.url, {
      method: 'POST',
      headers: request.headers,
      body: request.body,
      redirect: 'manual',
      signal: abort.signal,
    })
    const { status, headers } = response
    head = { status, headers, firstByteMs: latencyMs(), redact: request.redact }
    deps.connections.answered(request.url, deps.now())
    const text = await readText(response, abort.signal)
    const kept = cut(request.redact === null ? text : request.redact(text))
    return {
      kind: 'response',
      status,
      retryAfter: headers.get('retry-after'),
      viaCloudflare: isMadeByCloudflare(head),
      text: kept,
      latencyMs: latencyMs(),
      head,
    }
  } catch (error) {
    const failed = fault(error, abort.signal.aborted, head, latencyMs())
    // With a status, a text would be taken for the receiver's.
    const hasWords = head === null && !abort.signal.aborted
    if (failed.kind === 'fault' && hasWords) failed.text = faultText(error, request)
    // The receiver may have answered in time: nothing read it.
    const isOwn = failed.kind === 'fault' && abort.signal.aborted && stalledMs() > 0
    return isOwn ? { ...failed, error: 'stalled' } : failed
  } finally {
    clearTimeout(timer)
  }
}

/** The result without a whole body. A 2xx that never ends is a timeout; any other status says enough by itself. */
function fault(error: unknown, timedOut: boolean, head: ResponseHead | null, latencyMs: number): PostResult {
  if (head !== null && !isOk(head)) {
    const { status, headers } = head
    const viaCloudflare = isMadeByCloudflare(head)
    const retryAfter = headers.get('retry-after')
    return { kind: 'response', status, retryAfter, viaCloudflare, text: '', latencyMs, head }
  }
  const common = { kind: 'fault', latencyMs, text: '', head } as const
  if (timedOut) return { ...common, error: head === null ? 'timeout_headers' : 'timeout_body' }
  // The receiver was reached and has answered, only not to the end.
  if (head !== null) return { ...common, error: 'connection' }
  return { ...common, error: isConnectionLoss(error) ? 'connection' : 'dns_or_tls' }
}

function isOk({ status }: ResponseHead): boolean {
  return status >= 200 && status <= 299
}

/** The start of an answer's text; empty where the body came to its end but is not in the coding that it names. */
async function readText({ body, headers }: Response, signal: AbortSignal): Promise<string> {
  if (body === null) return ''
  try {
    return (await readCapped(body, READ_MAX)).text
  } catch (error) {
    const isDecoding = headers.has('content-encoding') && !signal.aborted && !isConnectionLoss(error)
    if (!isDecoding) throw error
    return ''
  }
}

/** workerd tells refused, reset, cut short and garbage from DNS, TLS and undecodable only by this sentence. */
function isConnectionLoss(error: unknown): boolean {
  return /network connection lost|connection (refused|reset)|disconnected/i.test(describeError(error))
}

/** Characters of a fault's text that are kept. */
const FAULT_CHARS_MAX = 200

/** The platform's words for a fault, without credentials, and without URLs, which may hold some. */
function faultText(error: unknown, { redact }: PostRequest): string {
  const words = error instanceof Error ? error.message : String(error)
  // workerd says no more of DNS and TLS than that a line of its own log has it.
  if (/^internal error; reference/.test(words)) return ''
  const text = words.replace(/https?:\/\/\S+/gi, '(URL)')
  return (redact === null ? text : redact(text)).slice(0, FAULT_CHARS_MAX).toWellFormed()
}

/** Cloudflare answers for origins it cannot reach: 52x and 530 that no origin has sent. */
function isMadeByCloudflare({ status, headers }: ResponseHead): boolean {
  return status >= 520 && status <= 530 && headers.get('server') === 'cloudflare'
}

/** Cuts never between two surrogates: half a character does not survive storage. */
function cut(text: string): string {
  const kept = text.slice(0, RESPONSE_CHARS_MAX)
  return kept.isWellFormed() ? kept : kept.slice(0, -1)
}
