import type { Schemas } from '../api/schemas.ts'
import type { InWords } from './health.ts'
import { countOf } from './numbers.ts'
import { lengthInWords, relativeTime } from './time.ts'

type Delivery = Schemas['Delivery']

/** What has become of a delivery, and what it waits for. */
export function deliveryInWords(delivery: Delivery, nowMs: number): InWords {
  switch (delivery.status) {
    case 'success':
      return { tone: 'good', label: 'Delivered', sentence: delivered(delivery) }
    case 'skipped':
      return { tone: 'off', label: 'Not sent', sentence: skipped(delivery.reason) }
    case 'pending':
      return { tone: 'waiting', label: 'Waiting', sentence: waiting(delivery, nowMs) }
    case 'failed':
      return failed(delivery, nowMs)
  }
}

function delivered({ responseCode, responseTime, attemptCount }: Delivery): string {
  const answer = responseCode === null ? 'The receiver took it' : `The receiver answered ${responseCode}`
  const time = responseTime === null ? '' : ` in ${lengthInWords(responseTime)}`
  return `${answer}${time}${attemptCount > 1 ? `, at the ${ordinal(attemptCount)} attempt` : ''}.`
}

function failed(delivery: Delivery, nowMs: number): InWords {
  const why = delivery.errorMessage ?? 'It failed.'
  const tried = countOf(delivery.attemptCount, 'attempt')
  if (delivery.blocked)
    return {
      tone: 'bad',
      label: 'Blocked',
      sentence: `${why} After ${tried} it holds back all that come behind it, until it is retried or cancelled.`,
    }
  if (delivery.waitingFor === null)
    return { tone: 'bad', label: 'Failed', sentence: `${why} It was given up after ${tried}.` }
  return { tone: 'warning', label: 'Retrying', sentence: `${why} ${waiting(delivery, nowMs)}` }
}

function waiting({ waitingFor, attemptCount }: Delivery, nowMs: number): string {
  if (waitingFor === null) return 'Waiting.'
  const time = waitingFor.until === null ? null : relativeTime(waitingFor.until, nowMs)
  const when = time === null ? '' : ` ${time}`
  switch (waitingFor.reason) {
    case 'paused':
      return 'Its subscription is paused.'
    case 'retry_after':
      return `The receiver asked to wait: it goes on${when}.`
    case 'breaker':
      return `The receiver fails, so its deliveries are held; it is tried again${when || ' soon'}.`
    case 'retry':
      return `The ${ordinal(attemptCount + 1)} attempt is due${when}.`
    case 'schedule':
      return `It is to be sent${when}.`
    case 'order':
      return 'It waits for those before it, as the subscription is ordered.'
    case 'batch':
      return `It waits for others to share a request with; it goes out${when || ' with the next batch'}.`
    case 'limit':
      return 'It waits for its turn under the limit of the subscription.'
    case 'turn':
      return 'It goes out next.'
  }
}

function skipped(reason: string | null): string {
  switch (reason) {
    case 'disabled':
      return 'Not sent: the subscription was disabled.'
    case 'deleted':
      return 'Not sent: the subscription was deleted.'
    case 'expired':
      return 'Not sent: the event had expired before its turn came.'
    case 'gone':
      return 'Not sent: the receiver had answered that it wants no more events.'
    case 'blocked':
      return 'Not sent: the destination is not allowed.'
    case 'cancelled':
      return 'Not sent: the event was cancelled.'
    default:
      return reason === null ? 'Not sent.' : `Not sent: ${reason}.`
  }
}

function ordinal(n: number): string {
  const last = n % 100 >= 11 && n % 100 <= 13 ? 0 : n % 10
  return `${n}${['th', 'st', 'nd', 'rd'][last] ?? 'th'}`
}
