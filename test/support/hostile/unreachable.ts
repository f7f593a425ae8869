import { answers, silent } from './behaviours.ts'
import { selfSigned } from './certificate.ts'
import { accepted, fault, row, timeout } from './expected.ts'
import type { Row } from './run.ts'

const DAY_MS = 86_400_000
const REFUSED_IS_CONNECTION =
  'workerd says "connection lost" for refused and reset alike; production answers 521'
const NAMES_AND_TLS_ALIKE =
  'workerd gives one opaque error for names and TLS; production answers 530, 525 or 526'

/** Certificates of every kind. The relay's machine trusts all but `untrusted`, so that each fails of its own fault. */
export const certificates = {
  good: selfSigned('localhost', new Date(Date.now() - DAY_MS), new Date(Date.now() + DAY_MS)),
  expired: selfSigned('localhost', new Date(Date.now() - 2 * DAY_MS), new Date(Date.now() - DAY_MS)),
  wrongName: selfSigned('elsewhere.example', new Date(Date.now() - DAY_MS), new Date(Date.now() + DAY_MS)),
  untrusted: selfSigned('localhost', new Date(Date.now() - DAY_MS), new Date(Date.now() + DAY_MS)),
}

/** Receivers that no request gets to, or only in a way that is no HTTP. */
export const unreachable: Row[] = [
  row('no listener', answers(200), fault('connection'), {
    isGone: true,
    isUnreached: true,
    why: REFUSED_IS_CONNECTION,
  }),
  row('RST at connect', answers(200), fault('connection'), {
    resetsConnections: true,
    isUnreached: true,
    why: REFUSED_IS_CONNECTION,
  }),
  row('a name that does not exist', answers(200), fault('dns_or_tls'), {
    url: () => 'http://no-such-host.invalid/hooks',
    isUnreached: true,
    why: NAMES_AND_TLS_ALIKE,
  }),
  ...(['expired', 'wrongName', 'untrusted'] as const).map((kind) =>
    row(`TLS, certificate: ${kind}`, answers(200), fault('dns_or_tls'), {
      certificate: certificates[kind],
      isUnreached: true,
      why: NAMES_AND_TLS_ALIKE,
    }),
  ),
  row('plain HTTP behind https', answers(200), fault('dns_or_tls'), {
    greeting: 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n',
    url: asHttps,
    isUnreached: true,
    why: NAMES_AND_TLS_ALIKE,
  }),
  row('TLS behind http', answers(200), fault('connection'), {
    certificate: certificates.good,
    url: (url) => url.replace('https:', 'http:'),
    isUnreached: true,
  }),
  row('TLS, certificate: good', answers(200), accepted(), { certificate: certificates.good }),
  row('a TLS handshake that is never answered', silent, timeout('timeout_headers'), {
    url: asHttps,
    isUnreached: true,
  }),
]

function asHttps(url: string): string {
  return url.replace('http://127.0.0.1', 'https://localhost')
}
