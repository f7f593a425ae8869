import { MASK } from './redaction.ts'

/**
 * Services whose webhook URL is itself the credential: so many segments of the path say which hook it is, and those after
 * them let anyone post to it.
 */
const SERVICES: readonly { host: RegExp; shownSegments: number }[] = [
  { host: /^hooks\.slack(?:-gov)?\.com$/, shownSegments: 3 },
  { host: /^(?:[a-z]+\.)?discord(?:app)?\.com$/, shownSegments: 3 },
  { host: /\.webhook\.office(?:365)?\.com$|^outlook\.office(?:365)?\.com$/, shownSegments: 1 },
  { host: /^hooks\.zapier\.com$/, shownSegments: 3 },
  { host: /^maker\.ifttt\.com$/, shownSegments: 2 },
  { host: /^hook\.(?:[a-z0-9]+\.)?make\.com$/, shownSegments: 0 },
  { host: /^api\.telegram\.org$/, shownSegments: 0 },
  { host: /^events\.(?:eu\.)?pagerduty\.com$/, shownSegments: 1 },
]

/** Parameters of a query that are credentials, as their names say. */
const SECRET_PARAMETER =
  /^(?:.*[_-])?(?:access|auth|code|credential|key|pass|password|secret|sig|signature|token)s?$/i
const CAMEL_CASE_END = /[a-z](?:Key|Token|Secret|Signature|Password)$/

/**
 * A URL as it may be shown: host and the start of the path say what it is for; what is a credential in it is masked. A
 * URL without one is shown as it is.
 */
export function maskUrl(text: string): string {
  if (!URL.canParse(text)) return text
  const url = new URL(text)
  const service = SERVICES.find(({ host }) => host.test(url.hostname))
  const path = service === undefined ? url.pathname : maskPath(url.pathname, service.shownSegments)
  const query = url.search === '' ? '' : `?${url.search.slice(1).split('&').map(maskParameter).join('&')}`
  return path === url.pathname && query === url.search ? text : `${url.origin}${path}${query}`
}

function maskPath(path: string, shownSegments: number): string {
  const segments = path.split('/').slice(1)
  if (segments.slice(shownSegments).every((segment) => segment === '')) return path
  return `/${[...segments.slice(0, shownSegments), MASK].join('/')}`
}

function maskParameter(parameter: string): string {
  const [name = '', ...value] = parameter.split('=')
  const isSecret = SECRET_PARAMETER.test(name) || CAMEL_CASE_END.test(name)
  return isSecret && value.join('=') !== '' ? `${name}=${MASK}` : parameter
}
