import type { Reached } from '../../limits/count-use.ts'
import { WORKSPACE_SUBJECT } from '../../limits/limits.ts'
import { RelayError } from '../../model/errors.ts'

/** A place is free when somebody deletes a subscription: nothing tells when. */
const SUBSCRIPTIONS_RETRY_SECONDS = 60

/** What a counted limit counts, in words. */
const UNITS: Record<Reached['name'], string> = {
  requestsPerSecond: 'requests per second',
  eventsPerSecond: 'events per second',
  eventsPerDay: 'events per day',
  subscriptions: 'subscriptions',
  payloadBytes: 'bytes of payload',
  storedEvents: 'stored events',
}

/** The refusal for a limit that is reached; it says whose, and when to try again. */
export function limitReached({ subject, name, limit, retryAfterSeconds }: Reached): RelayError {
  const whose = subject === WORKSPACE_SUBJECT ? 'This workspace' : 'This key'
  const message = `${whose} may use ${limit.toLocaleString('en-US')} ${UNITS[name]}; try again in ${retryAfterSeconds} s`
  const details = [{ path: name, message }]
  return new RelayError('rate_limited', `${message}.`, { details, retryAfterSeconds })
}

export function subscriptionsReached(limit: number): RelayError {
  const message = `There may be ${limit.toLocaleString('en-US')} subscriptions; delete one first`
  const details = [{ path: 'subscriptions', message }]
  return new RelayError('rate_limited', `${message}.`, {
    details,
    retryAfterSeconds: SUBSCRIPTIONS_RETRY_SECONDS,
  })
}

export function listenersReached(limit: number): RelayError {
  const message = `There may be ${limit} listeners at once in this workspace; end one first`
  const details = [{ path: 'listeners', message }]
  return new RelayError('rate_limited', `${message}.`, {
    details,
    retryAfterSeconds: SUBSCRIPTIONS_RETRY_SECONDS,
  })
}

/** The refusal of an event whose payload is larger than a limit allows. */
export function payloadAboveLimit(bytesMax: number): RelayError {
  const message = `may hold at most ${bytesMax.toLocaleString('en-US')} bytes together`
  const details = [{ path: 'payloadBytes', message: `\`data\` and \`context\` ${message}` }]
  return new RelayError('payload_too_large', `An event's data and context ${message}.`, { details })
}
