/** The one that answered a request: the receiver, something before it, or a protection against robots. */
export const ANSWERERS = ['receiver', 'proxy', 'challenge'] as const
export type Answerer = (typeof ANSWERERS)[number]

/** The head of an answer, with its names in lower case, and the start of its text. */
export type SeenAnswer = {
  status: number
  headers: readonly (readonly [name: string, value: string])[]
  text: string | null
}

/** Headers with which protections against robots mark their answers. */
const CHALLENGE_MARKS: readonly (readonly [name: string, value: RegExp])[] = [
  ['cf-mitigated', /challenge/i],
  ['x-vercel-mitigated', /challenge|deny/i],
  ['x-amzn-waf-action', /challenge|captcha/i],
  ['x-datadome', /./],
  ['x-sucuri-block', /./],
]
/** Words of such pages, whose headers may not have been kept. */
const CHALLENGE_WORDS =
  /<title>Just a moment\.\.\.|challenge-platform|_Incapsula_Resource|captcha-delivery\.com/i

/** Headers with which tunnels, CDNs and load balancers mark errors of their own. */
const PROXY_MARKS = [
  'ngrok-error-code',
  'x-vercel-error',
  'x-squid-error',
  'fly-error',
  'x-amzn-errortype',
  'x-azure-externalerror',
]
const PROXIES =
  /cloudflare|cloudfront|awselb|akamai|varnish|fastly|envoy|nginx|haproxy|traefik|caddy|openresty|google frontend/i
/** Statuses that a proxy answers for a receiver that it cannot reach. */
const GATEWAY_STATUSES = [502, 503, 504]

/** Finds out who has answered, as far as known marks tell. An answer without any is the receiver's. */
export function answeredBy({ status, headers, text }: SeenAnswer): Answerer {
  const headerOf = (name: string) => headers.find(([each]) => each === name)?.[1] ?? ''
  const isMarked = CHALLENGE_MARKS.some(([name, value]) => value.test(headerOf(name)))
  const isFailure = status < 200 || status > 299
  if (isFailure && (isMarked || CHALLENGE_WORDS.test(text ?? ''))) return 'challenge'
  if (isFailure && PROXY_MARKS.some((name) => headerOf(name) !== '')) return 'proxy'
  const isCloudflares = status >= 520 && status <= 530 && /^cloudflare$/i.test(headerOf('server'))
  const isGateways = GATEWAY_STATUSES.includes(status) && PROXIES.test(headerOf('server'))
  return isCloudflares || isGateways ? 'proxy' : 'receiver'
}
