import type { AttemptError } from '../../../../outcome/classify.ts'

/** The part of a failure that advice depends on. */
type Failure = { error: string | null; status: number | null }

/** Advice on failures without an answer; `http_status` has that of its status. */
const BY_ERROR: Readonly<Record<Exclude<AttemptError, 'http_status'>, string>> = {
  timeout_headers:
    'The receiver should answer as soon as it has stored the event, and work on it later; or raise timeoutSeconds.',
  timeout_body: 'The receiver should end its answer, which needs no body; or raise timeoutSeconds.',
  connection: 'See that the receiver runs, and that no firewall or proxy in front of it ends connections.',
  refused: 'See that the receiver runs and listens at this port, and that its firewall lets the relay in.',
  tls: 'Renew the certificate of the receiver, with all intermediate ones, for the host in the URL.',
  dns: 'See that the host in the URL is spelled right and has a public address.',
  dns_or_tls: 'See that the host in the URL resolves to a public address, and that its certificate is valid.',
  blocked: 'Point the subscription at an address that the rules of the workspace and the relay allow.',
  template: 'Preview the subscription with this event, mend its template, then replay the delivery.',
  auth: 'See that the credentials in `auth` are valid, and that their token endpoint answers.',
  internal: 'Retry it. The explanation and the log of the operator say more.',
}

/** Advice on single statuses. */
const BY_STATUS: Readonly<Record<number, string>> = {
  401: 'The receiver did not accept the credentials or the signature: compare its secret with that of the subscription, and `auth`.',
  403: 'The receiver, or a firewall in front of it, refuses the relay: see its rules, and the secret it verifies with.',
  404: 'The receiver has nothing at this path: see the path of the URL.',
  405: 'The receiver takes no POST at this path: see the path of the URL.',
  410: 'The receiver wants nothing more. Enable the subscription once its URL is right.',
  413: 'The event or batch is too large for the receiver: raise its limit, or make batches smaller.',
  415: 'The receiver does not take this content type: see the `transform` of the subscription.',
  422: 'The receiver refuses what the event holds: the body of its answer may say why.',
  429: 'The receiver is asked too often: give the subscription a rateLimit.',
}

/** What a person can do about a failure; null where nothing is known. */
export function adviceOnFailure({ error, status }: Failure): string | null {
  if (error !== null && Object.hasOwn(BY_ERROR, error)) return BY_ERROR[error as keyof typeof BY_ERROR]
  return status === null ? null : adviceOnStatus(status)
}

function adviceOnStatus(status: number): string {
  const known = BY_STATUS[status]
  if (known !== undefined) return known
  if (status >= 500) return 'The receiver has a fault: look at its own log at this time, then retry.'
  if (status >= 400) return 'The receiver refuses the event: the body of its answer may say why.'
  if (status >= 300) return 'Redirects are not followed: point the subscription at where this one leads.'
  return 'A response rule of the subscription makes a failure of this answer.'
}
