import type { DestinationAuth } from './auth.ts'

/** Client certificates by the name of their binding: each sends requests that present it. */
export type Certificates = ReadonlyMap<string, typeof fetch>

/** How names of bindings with a certificate begin. No subscription can name another binding of the relay. */
const PREFIX = 'MTLS_'

/** Finds the bindings that hold a client certificate. */
export function certificatesIn(bindings: object): Certificates {
  const found = Object.entries(bindings).flatMap(([name, binding]: [string, unknown]) =>
    name.startsWith(PREFIX) && isSender(binding) ? [[name, fetchBy(binding)] as const] : [],
  )
  return new Map(found)
}

type Allowed = { certificates?: Certificates; allowedCertificates?: readonly string[] | null }

const NONE: Certificates = new Map()

/** The way that requests with this `auth` take: null for that of all others; or why there is none. */
export function findCertificate(
  { certificates = NONE, allowedCertificates = null }: Allowed,
  auth: DestinationAuth | null,
): { ok: true; fetch: typeof fetch | null } | { ok: false; message: string } {
  if (auth?.type !== 'mtls') return { ok: true, fetch: null }
  const names = [...certificates.keys()].filter((name) => allowedCertificates?.includes(name) ?? true)
  const found = names.includes(auth.certificate) ? certificates.get(auth.certificate) : undefined
  if (found !== undefined) return { ok: true, fetch: found }
  return {
    ok: false,
    message:
      names.length === 0
        ? `needs a certificate, and there is none for this workspace: the operator binds one as ${PREFIX}<NAME>`
        : `must be one of the certificates that there are: ${names.sort().join(', ')}`,
  }
}

type Sender = { fetch: typeof fetch }

function isSender(binding: unknown): binding is Sender {
  return typeof binding === 'object' && binding !== null && typeof (binding as Sender).fetch === 'function'
}

function fetchBy(binding: Sender): typeof fetch {
  return (input, init) => binding.fetch(input, init)
}
