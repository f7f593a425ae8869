import * as z from 'zod'

/** Most patterns of one list. */
const HOSTS_MAX = 100
/** Most characters of one list: each claim reads it with every subscription of the workspace. */
const HOSTS_CHARS_MAX = 4_000
const PORTS_MAX = 20
const CERTIFICATES_MAX = 20

const HOST =
  'must be a host name such as "hooks.example.com", or "*.example.com" for every name below one, without scheme, port or path'
const HOSTS = `must hold at most ${HOSTS_MAX} hosts, of ${HOSTS_CHARS_MAX} characters together`
const PORT = 'must be a port, 1-65535'

const hostPatternSchema = z.string(HOST).transform((text, context) => {
  const pattern = asHostPattern(text)
  if (pattern !== null) return pattern
  context.addIssue({ code: 'custom', message: HOST })
  return z.NEVER
})

const hostsSchema = z
  .array(hostPatternSchema)
  .max(HOSTS_MAX, HOSTS)
  .refine((hosts) => hosts.join('').length <= HOSTS_CHARS_MAX, HOSTS)

/** The rules for destinations that a workspace may set, as a request has them. */
export const workspaceDestinationsShape = {
  /** Only these hosts; null for every public one. */
  allowedHosts: hostsSchema.min(1, 'must name a host, or be null for every public one').nullable().optional(),
  /** Never these, even if they are allowed. */
  deniedHosts: hostsSchema.optional(),
  /** Plain http as well, but not for token endpoints. */
  allowHttp: z.boolean().optional(),
  /** Ports beside the standard one of the scheme. */
  allowedPorts: z
    .array(z.int(PORT).min(1, PORT).max(65_535, PORT))
    .max(PORTS_MAX, `must hold at most ${PORTS_MAX} ports`)
    .optional(),
  /** Nothing is delivered to a host that has not answered a challenge of the workspace. */
  verifyOwnership: z.boolean().optional(),
  /** Only these client certificates; null for every one of the relay. */
  allowedCertificates: z
    .array(z.string().max(100, 'must be at most 100 characters'))
    .max(CERTIFICATES_MAX, `must hold at most ${CERTIFICATES_MAX} names`)
    .nullable()
    .optional(),
}

/** The same as stored; what was never set is the default. */
export const storedDestinationsShape = {
  allowedHosts: z.array(z.string()).nullable().default(null),
  deniedHosts: z.array(z.string()).default([]),
  allowHttp: z.boolean().default(false),
  allowedPorts: z.array(z.number()).default([]),
  verifyOwnership: z.boolean().default(false),
  allowedCertificates: z.array(z.string()).nullable().default(null),
}

const storedDestinationsSchema = z.object(storedDestinationsShape)
/** Where the deliveries of a workspace may go, within what the operator's rules allow. */
export type WorkspaceDestinations = z.infer<typeof storedDestinationsSchema>

/** The names, in the order of `readDestinations`. */
export const DESTINATION_NAMES = [
  'allowedHosts',
  'deniedHosts',
  'allowHttp',
  'allowedPorts',
  'verifyOwnership',
  'allowedCertificates',
] as const satisfies (keyof WorkspaceDestinations)[]

/** A workspace that has set nothing. */
export const UNRESTRICTED: WorkspaceDestinations = storedDestinationsSchema.parse({})

/** Reads the rules from a JSON list of them in the order of their names; null for one that was never set. */
export function readDestinations(list: string): WorkspaceDestinations {
  const values = JSON.parse(list) as unknown[]
  if (values.every((value) => value === null)) return UNRESTRICTED
  const set = DESTINATION_NAMES.map((name, n) => [name, values[n] ?? undefined] as const)
  return storedDestinationsSchema.parse(Object.fromEntries(set))
}

/** The rules that a change would widen: those that would let deliveries go where they could not go before. */
export function widenedBy(before: WorkspaceDestinations, after: WorkspaceDestinations): string[] {
  const { allowedHosts, deniedHosts, allowHttp, allowedPorts } = before
  const widened = {
    allowedHosts: allowedHosts !== null && !(after.allowedHosts?.every(isCoveredBy(allowedHosts)) ?? false),
    deniedHosts: !deniedHosts.every(isCoveredBy(after.deniedHosts)),
    allowHttp: after.allowHttp && !allowHttp,
    allowedPorts: after.allowedPorts.some((port) => !allowedPorts.includes(port)),
    verifyOwnership: before.verifyOwnership && !after.verifyOwnership,
    allowedCertificates:
      before.allowedCertificates !== null &&
      !(after.allowedCertificates?.every((name) => before.allowedCertificates?.includes(name)) ?? false),
  }
  return DESTINATION_NAMES.filter((name) => widened[name])
}

/** True where a pattern names this host, in the form that the URL parser gives it. */
export function namesHost(pattern: string, hostname: string): boolean {
  const host = hostname.endsWith('.') ? hostname.slice(0, -1) : hostname
  return isWild(pattern) ? host.endsWith(pattern.slice(1)) && host !== pattern.slice(1) : host === pattern
}

const isWild = (pattern: string) => pattern.startsWith('*.')

/** True for a pattern all of whose hosts one of the list names. */
function isCoveredBy(patterns: readonly string[]): (pattern: string) => boolean {
  return (pattern) => {
    // A name below the suffix stands for all of them, and the pattern's own text is never one of them.
    const host = isWild(pattern) ? `x${pattern.slice(1)}` : pattern
    return patterns.some((each) => each === pattern || (isWild(each) && namesHost(each, host)))
  }
}

const BARE_HOST = /^(?:[^\s/?#@\\:*%[\]]+|\[[0-9a-f:.]+\])$/i

/** A pattern in the form in which the URL parser writes hosts; null for a text that is none. */
function asHostPattern(text: string): string | null {
  const wild = isWild(text)
  const name = wild ? text.slice(2) : text
  const url = `https://${name}/`
  if (!BARE_HOST.test(name) || !URL.canParse(url)) return null
  const { hostname } = new URL(url)
  if (hostname === '' || hostname.endsWith('.') || hostname.startsWith('.')) return null
  if (!wild) return hostname
  return /^\[|^[\d.]+$/.test(hostname) ? null : `*.${hostname}`
}
