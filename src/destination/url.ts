import type { Certificates } from './certificates.ts'
import type { HostResolver } from './dns/resolver.ts'
import { namesHost, type WorkspaceDestinations } from './rules.ts'

/** Longest destination URL, in characters, as given and as normalised. */
export const URL_LENGTH_MAX = 2048

/** The rules of the operator and the workspace. */
export type DestinationRules = {
  /** Local runs only: http, loopback, private names and addresses, and any port. */
  allowPrivate: boolean
  /** ASCII host names of the relay itself; refused together with every name below them. */
  ownHostnames: readonly string[]
  /** Finds the addresses of hosts; null leaves it to the platform, which reaches public ones only. */
  resolver?: HostResolver | null
  /** The client certificates of the relay. */
  certificates?: Certificates
  /** The only listener's address that may be meant: that of the subscription at hand. */
  listener?: string | null
} & Partial<Omit<WorkspaceDestinations, 'verifyOwnership'>>

/** The operator's rules together with those of one workspace. */
export function rulesWithin(
  {
    allowPrivate,
    ownHostnames,
    resolver = null,
    certificates = new Map(),
    listener = null,
  }: DestinationRules,
  { allowedHosts, deniedHosts, allowHttp, allowedPorts, allowedCertificates }: WorkspaceDestinations,
): DestinationRules {
  return {
    allowPrivate,
    ownHostnames,
    resolver,
    certificates,
    listener,
    allowedHosts,
    deniedHosts,
    allowHttp,
    allowedPorts,
    allowedCertificates,
  }
}

/** Why a destination is refused. */
export type DestinationReason =
  | 'too_long'
  | 'invalid_url'
  | 'scheme'
  | 'userinfo'
  | 'fragment'
  | 'ip_address'
  | 'trailing_dot'
  | 'single_label'
  | 'host_name'
  | 'metadata_name'
  | 'private_name'
  | 'own_host'
  | 'port'
  | 'denied_host'
  | 'other_host'

/**
 * `url` is the normalised text that was checked and is
 * to be requested; `message` says what would be right.
 */
export type DestinationCheck =
  | { ok: true; url: string }
  | { ok: false; reason: DestinationReason; message: string }

/** Special-use and reserved names, which never mean a public host (RFC 6761, 6762, 7686, 8375, 9476, ICANN). */
const RESERVED_SUFFIXES = 'local localhost test example invalid onion alt arpa internal corp home mail'.split(
  ' ',
)

/** Names that private networks use by habit, none of which is a top-level domain. */
const HABITUAL_SUFFIXES =
  'localdomain localnet intranet intra private lan svc consul docker dhcp kube cluster'.split(' ')

const PRIVATE_SUFFIXES: readonly string[] = [...RESERVED_SUFFIXES, ...HABITUAL_SUFFIXES]

/**
 * Names under which clouds serve credentials of
 * instances, with those of Google and EC2 in `.internal`.
 */
const METADATA_NAMES: readonly string[] = [
  'metadata.google.internal',
  'metadata.goog',
  'metadata.azure.internal',
  'instance-data.ec2.internal',
  'metadata.tencentyun.com',
  'metadata.packet.net',
  'metadata.platformequinix.com',
]

/** Refuses the scheme where plain http is allowed too. */
const HTTP_TOO = 'must begin with "http://" or "https://"'

const MESSAGES: Record<DestinationReason, string> = {
  too_long: `must be at most ${URL_LENGTH_MAX} characters`,
  invalid_url: 'must be an absolute URL without spaces or backslashes, such as "https://your-app.com/hooks"',
  scheme: 'must begin with "https://"',
  userinfo: 'must not hold a user name or password: use "auth" or "headers"',
  fragment:
    'must not hold "#": that part of a URL is never sent; write %23 if it belongs to the path or query',
  ip_address: 'must name a public host, not an IP address',
  trailing_dot: 'must not end its host name with a dot',
  single_label: 'must name a public host with a domain, such as "your-app.com"',
  host_name: 'must have a host name of letters, digits, hyphens and dots',
  metadata_name: 'must not be a cloud metadata endpoint',
  private_name: 'must name a public host, not one of a private network',
  own_host: 'must not point back at this relay',
  port: 'must use the standard port, or one that the workspace allows',
  denied_host: 'must not name a host that the workspace denies',
  other_host: 'must name a host that the workspace allows',
}

// The URL parser drops or rewrites spaces, control characters and backslashes, so that people and
// other programs would read another address than the one requested.
const AMBIGUOUS_CHARACTER = /[\p{Cc}\p{Surrogate}\s\\]/u
const AUTHORITY = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]+)/i
const IPV4 = /^\d+\.\d+\.\d+\.\d+$/
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/
/** No top-level domain holds an underscore, begins with a digit or is a single letter. */
const TOP_LABEL = /^[a-z][a-z0-9-]{0,61}[a-z0-9]$/
const HOSTNAME_LENGTH_MAX = 253

/**
 * Checks a URL when it is saved and at every attempt. The WHATWG parser
 * turns every spelling of an IPv4 address (decimal, octal, hex, full-width)
 * into the dotted one, so one test finds all. Asks no DNS, never throws.
 */
export function checkDestination(urlText: string, rules: DestinationRules): DestinationCheck {
  return urlText === rules.listener ? { ok: true, url: urlText } : checkHttpUrl(urlText, rules)
}

function checkHttpUrl(urlText: string, rules: DestinationRules): DestinationCheck {
  if (urlText.length > URL_LENGTH_MAX) return refuse('too_long')
  if (AMBIGUOUS_CHARACTER.test(urlText)) return refuse('invalid_url')
  const url = URL.canParse(urlText) ? new URL(urlText) : null
  if (url === null) return refuse('invalid_url')
  const httpAllowed = rules.allowPrivate || rules.allowHttp === true
  if (url.protocol !== 'https:' && !(httpAllowed && url.protocol === 'http:')) {
    return httpAllowed ? refuse('scheme', HTTP_TOO) : refuse('scheme')
  }
  const authority = AUTHORITY.exec(urlText)?.[1]
  if (authority === undefined) return refuse('invalid_url')
  if (authority.includes('@')) return refuse('userinfo')
  // Refused, not dropped: "#" in a webhook's URL is nearly always an unescaped character of a token.
  if (urlText.includes('#')) return refuse('fragment')
  if (url.href.length > URL_LENGTH_MAX) return refuse('too_long')
  const reason = placeReason(url, rules)
  return reason === null ? { ok: true, url: url.href } : refuse(reason)
}

function placeReason(url: URL, rules: DestinationRules): DestinationReason | null {
  const { hostname } = url
  if (rules.allowPrivate) return workspaceReason(hostname, rules)
  return (
    hostReason(hostname, rules.ownHostnames) ?? portReason(url, rules) ?? workspaceReason(hostname, rules)
  )
}

function hostReason(hostname: string, ownHostnames: readonly string[]): DestinationReason | null {
  if (hostname.startsWith('[') || IPV4.test(hostname)) return 'ip_address'
  if (hostname.endsWith('.')) return 'trailing_dot'
  if (METADATA_NAMES.some((name) => isAtOrBelow(hostname, name))) return 'metadata_name'
  if (PRIVATE_SUFFIXES.some((name) => isAtOrBelow(hostname, name))) return 'private_name'
  if (!hostname.includes('.')) return 'single_label'
  if (!isHostname(hostname)) return 'host_name'
  if (ownHostnames.some((name) => isAtOrBelow(hostname, asHostname(name)))) return 'own_host'
  return null
}

function isHostname(hostname: string): boolean {
  const labels = hostname.split('.')
  const isTopLabel = TOP_LABEL.test(labels.at(-1) ?? '')
  return isTopLabel && hostname.length <= HOSTNAME_LENGTH_MAX && labels.every((label) => LABEL.test(label))
}

/** The parser leaves `port` empty for a scheme's standard port. */
function portReason({ port }: URL, { allowedPorts = [] }: DestinationRules): DestinationReason | null {
  return port === '' || allowedPorts.includes(Number(port)) ? null : 'port'
}

/** The workspace's own lists count in local runs as well: they were made for a purpose. */
function workspaceReason(
  hostname: string,
  { allowedHosts = null, deniedHosts = [] }: DestinationRules,
): DestinationReason | null {
  const isNamed = (pattern: string) => namesHost(pattern, hostname)
  if (deniedHosts.some(isNamed)) return 'denied_host'
  return allowedHosts === null || allowedHosts.some(isNamed) ? null : 'other_host'
}

function isAtOrBelow(hostname: string, name: string): boolean {
  return name !== '' && (hostname === name || hostname.endsWith(`.${name}`))
}

/** An operator's spelling of a name in the form the URL parser gives. */
function asHostname(name: string): string {
  const trimmed = name.trim().toLowerCase()
  return trimmed.endsWith('.') ? trimmed.slice(0, -1) : trimmed
}

function refuse(reason: DestinationReason, message = MESSAGES[reason]): DestinationCheck {
  return { ok: false, reason, message }
}
