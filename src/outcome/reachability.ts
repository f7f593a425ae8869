import type { AttemptError } from './classify.ts'

/** The steps of a request, in the order in which it takes them. */
export const STEP_NAMES = ['request', 'name', 'connection', 'tls', 'answer', 'challenge'] as const
export type StepName = (typeof STEP_NAMES)[number]

/** One step: `unknown` where nothing tells it from its neighbours, `skipped` where it was not reached or not needed. */
export type Step = {
  step: StepName
  result: 'passed' | 'failed' | 'unknown' | 'skipped'
  message: string | null
}

/** The end of a request that was made to see how far it comes. */
export type CheckedRequest = {
  /** Null for an answer of 2xx. */
  error: string | null
  status: number | null
  isEncrypted: boolean
  timeoutSeconds: number
  /** The addresses of the host; null where nobody could be asked. */
  addresses: readonly string[] | null
  /** The words of the relay or the platform for what went wrong. */
  explanation: string | null
  /** True where a protection against robots has answered in the receiver's place. */
  isChallenged: boolean
}

/** How far a fault lets a request come: the step that it fails at, and steps that cannot be told from it. */
type Failure = { at: StepName; unclear?: readonly StepName[] }

const FAILURES: Readonly<Record<Exclude<AttemptError, 'http_status' | 'dns_or_tls'>, Failure>> = {
  blocked: { at: 'request' },
  template: { at: 'request' },
  auth: { at: 'request' },
  internal: { at: 'request' },
  dns: { at: 'name' },
  refused: { at: 'connection' },
  connection: { at: 'connection' },
  tls: { at: 'tls' },
  timeout_headers: { at: 'answer', unclear: ['connection', 'tls'] },
  timeout_body: { at: 'answer' },
}

/** Tells apart the steps of a request that has ended. */
export function stepsOf(request: CheckedRequest): Step[] {
  const failure = failureOf(request)
  const failedAt = failure === null ? STEP_NAMES.length : STEP_NAMES.indexOf(failure.at)
  return STEP_NAMES.map((step, at) => {
    if (step === 'tls' && !request.isEncrypted) return { step, result: 'skipped', message: NO_TLS }
    if (at > failedAt) return { step, result: 'skipped', message: null }
    if (at === failedAt) return { step, result: 'failed', message: messageOf(step, request) }
    if (failure?.unclear?.includes(step)) return { step, result: 'unknown', message: UNCLEAR }
    return { step, result: 'passed', message: step === 'name' ? addressesText(request) : null }
  })
}

/** What to do about a request that has failed, in words; null for one that has not. */
export function adviceOn(request: CheckedRequest): string | null {
  const failure = failureOf(request)
  return failure === null ? null : ADVICE[failure.at](request)
}

function failureOf(request: CheckedRequest): Failure | null {
  const { error, addresses, isChallenged } = request
  if (error === null) return null
  if (isChallenged) return { at: 'challenge' }
  if (error === 'dns_or_tls') {
    if (addresses === null) return { at: 'tls', unclear: ['name', 'connection'] }
    return addresses.length === 0 ? { at: 'name' } : { at: 'tls', unclear: ['connection'] }
  }
  if (error === 'http_status') return { at: 'answer' }
  return Object.hasOwn(FAILURES, error) ? FAILURES[error as keyof typeof FAILURES] : { at: 'request' }
}

const NO_TLS = 'The URL is plain http.'
const UNCLEAR = 'Nothing tells this step from the one that failed.'

function addressesText({ addresses }: CheckedRequest): string | null {
  return addresses === null || addresses.length === 0 ? null : `It resolves to ${addresses.join(', ')}.`
}

/** What to do about a step that failed, in words. */
function messageOf(step: StepName, request: CheckedRequest): string {
  const words = ADVICE[step](request)
  const { explanation } = request
  return explanation === null || explanation === '' ? words : `${words} (${explanation})`
}

const ADVICE: Readonly<Record<StepName, (request: CheckedRequest) => string>> = {
  request: ({ error }) => REQUEST_ADVICE[error ?? ''] ?? 'The relay failed on the way. Try again.',
  name: () =>
    "The receiver's name does not resolve. Check the host of the URL for a mistake, and its DNS records; a new record may need some minutes.",
  connection: ({ error }) =>
    error === 'refused'
      ? 'The receiver refuses the connection: nothing listens on that port, or a firewall turns it away. Start the server, and open its port to the internet.'
      : 'The connection was broken off. Check that the server is up, speaks HTTP on this port, and that no firewall closes it.',
  tls: ({ error, addresses }) =>
    error === 'dns_or_tls' && addresses === null
      ? "The receiver's name does not resolve, or its certificate was not accepted. Check both: `nslookup` the host, and open the URL in a browser on another network."
      : "The receiver's certificate was not accepted: it has run out, is for another name, is self-signed, or its chain is not whole. Renew it, and serve the intermediate certificates too.",
  answer: ({ error, status, timeoutSeconds }) => {
    if (error === 'timeout_headers')
      return `No answer within ${timeoutSeconds} s. Answer 2xx first and work afterwards; a firewall that drops requests looks the same.`
    if (error === 'timeout_body')
      return `The answer began and did not end within ${timeoutSeconds} s. Send a short body, with its length.`
    return statusAdvice(status)
  },
  challenge: () =>
    'A protection against robots answered in place of the receiver. Let requests with the header webhook-subscription-id, or with this User-Agent, pass it without a challenge.',
}

const REQUEST_ADVICE: Readonly<Record<string, string>> = {
  blocked:
    'No request was made: the relay may not call this URL. Change the URL, or the rules of the workspace for destinations.',
  template:
    'No request was made: the template fails on this event. POST /webhooks/{id}/preview shows what it makes of an event of your own.',
  auth: 'No request was made: no credentials could be had for it. Check `auth` of the subscription.',
}

const STATUS_ADVICE: Readonly<Record<number, string>> = {
  400: 'It does not like the body: compare what it expects with POST /webhooks/{id}/preview.',
  401: 'It wants credentials, or refuses the signature. POST /verify says why a signature is refused.',
  403: 'It, or something before it, refuses the request. POST /verify says why a signature is refused.',
  404: 'Nothing is at this path: check the path of the URL.',
  405: 'It does not take POST at this path.',
  408: 'It has waited for the request for too long.',
  410: 'It says that it wants no more: a delivery that is answered so disables the subscription.',
  411: 'It wants a Content-Length that a proxy has taken away.',
  413: 'The body is too large for it.',
  415: 'It does not take this Content-Type.',
  421: 'Its TLS server has another name: check the host of the URL.',
  429: 'It limits requests: set rateLimit of the subscription.',
}

function statusAdvice(status: number | null): string {
  if (status === null) return 'The receiver did not answer with a success.'
  const known = STATUS_ADVICE[status] ?? classAdvice(status)
  return `The receiver answered ${status}. ${known}`
}

function classAdvice(status: number): string {
  if (status >= 500) return 'It failed, or what stands before it could not reach it: look at its own log.'
  if (status >= 300 && status < 400) return 'Redirects are not followed: give the URL that it leads to.'
  return 'Only 2xx is a success.'
}
