import type { Drain } from './base/concurrency/drain.ts'
import { StallMeter } from './base/concurrency/stall-meter.ts'
import type { Log } from './base/log.ts'
import type { Vault } from './base/secret/vault.ts'
import { KeptConnections } from './deliver/attempt/http/kept-connections.ts'
import { type RequestDeps, USER_AGENT } from './deliver/attempt/request.ts'
import type { WorkDeps } from './deliver/claim-run.ts'
import { settleWithRetries } from './deliver/settle/settle.ts'
import { certificatesIn } from './destination/certificates.ts'
import { HostResolver } from './destination/dns/resolver.ts'
import { TokenCache } from './destination/token-cache.ts'
import type { Settings } from './env.ts'
import type { Listeners } from './listen/client.ts'
import { announce } from './publish/operational-events.ts'
import { InFlight } from './receiver/in-flight.ts'
import { UnprovenReceivers } from './receiver/unproven-receivers.ts'
import type { IsolateStreams } from './stream/isolate-streams.ts'
import { CredentialCache } from './subscription/secrets/credentials.ts'

/** The clock, the chance and the log of the machine a relay runs on; `sleep` passes its time in the background. */
export type Machine = {
  now: () => number
  random: () => number
  log: Log
  sleep: (ms: number) => Promise<void>
}

/** What a relay has made already when it comes to attempts. */
type Made = Pick<WorkDeps, 'lines'> & {
  publish: Parameters<typeof announce>[0]
  request: RequestDeps
  streams: IsolateStreams
  drain: Drain
}

/** What attempts need to be made and recorded. */
export function workDeps(
  env: Env,
  { now, random, log }: Machine,
  { publish, request, streams, lines, drain }: Made,
): WorkDeps {
  return {
    db: env.DB,
    inFlight: new InFlight(),
    unproven: new UnprovenReceivers(),
    lines,
    streams: streams.hubs,
    announce: (announcements) => announce(publish, log, announcements),
    settle: (settlement) => drain.finish(() => settleWithRetries(env.DB, settlement, now, random)),
    attempt: {
      bodies: env.BODIES,
      request,
      http: {
        fetch: egressOf(env),
        now,
        stalls: new StallMeter(() => Date.now()),
        connections: new KeptConnections(),
        drain,
      },
      now,
      random,
      newKey: () => crypto.randomUUID(),
    },
  }
}

/** What a request needs to be built: keys, credentials, and the rules of where it may go. */
export function requestDeps(
  env: Env,
  settings: Settings,
  { vault, listeners, now }: { vault: Vault; listeners: Listeners; now: () => number },
): RequestDeps {
  const { dnsOverHttpsUrl: server, allowPrivateDestinations: allowPrivate, ownHostnames } = settings
  const dns = { server: server ?? '', fetch: egressOf(env), now, userAgent: USER_AGENT }
  const resolver = server === null ? null : new HostResolver(dns)
  const destinations = { allowPrivate, ownHostnames, resolver, certificates: certificatesIn(env) }
  const authorize = {
    db: env.DB,
    vault,
    fetch: egressOf(env),
    now,
    destinations,
    userAgent: USER_AGENT,
    tokens: new TokenCache(),
  }
  const credentials = new CredentialCache()
  return {
    ...{ vault, now, destinations, userAgent: USER_AGENT, credentials, authorize },
    listeners: listeners.fetchFor,
  }
}

/** Deliveries leave through the optional service binding EGRESS, such as a proxy with addresses of its own. */
export function egressOf(env: Env & { EGRESS?: Fetcher }): typeof fetch {
  const { EGRESS } = env
  return EGRESS === undefined
    ? (input, init) => fetch(input, init)
    : (input, init) => EGRESS.fetch(input, init)
}
