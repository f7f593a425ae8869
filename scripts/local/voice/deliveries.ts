import { clockTime, counted, type LineFields, number, type Sentence, text } from './sentence.ts'

/** The workspace of calls that name none. */
const DEFAULT_WORKSPACE = 'default'
/** Due times from here on mean that no time is set: an earlier event of the key is in the way. */
const FAR_MS = 253_402_300_799_999

/** `event.received`: a publish request that was answered 202. */
export function publishedSentence(fields: LineFields): Sentence {
  const events = number(fields, 'accepted')
  const notes = [
    counts(events, '', matchesOf(fields)),
    counts(number(fields, 'duplicates'), 'duplicate'),
    counts(number(fields, 'rejected'), 'rejected'),
    `${number(fields, 'durationMs')} ms`,
  ]
  const name = text(fields, 'eventId') || counted(number(fields, 'events'), 'event')
  const said = notes.filter((note) => note !== '').join(', ')
  return { kind: 'published', events, text: `${name}${inWorkspace(fields)}: ${said}` }
}

function counts(count: number, word: string, said = `${count.toLocaleString('en-US')} ${word}`): string {
  return count === 0 ? '' : said
}

function matchesOf(fields: LineFields): string {
  const matched = number(fields, 'matched')
  if (matched > 0) return `${counted(matched, 'delivery')} to make`
  const eventId = text(fields, 'eventId')
  const ask = eventId === '' ? '' : ` (why: GET /api/v1/events/${eventId}/deliveries)`
  return `no subscription matches${ask}`
}

/** `delivery.attempted`: a request to a receiver, or the reason why none could be made. */
export function attemptedSentence(fields: LineFields): Sentence {
  const host = text(fields, 'host')
  const latencyMs = number(fields, 'latencyMs')
  const status = number(fields, 'status')
  const said = `${deliveryName(fields)} to ${host}: `
  if (fields['success'] === true) {
    const attempt = number(fields, 'attempt')
    const tries = attempt > 1 ? `, at attempt ${attempt}` : ''
    const events = number(fields, 'batchSize')
    return { kind: 'delivered', events, latencyMs, text: `${said}${status} in ${latencyMs} ms${tries}` }
  }
  const error = text(fields, 'error')
  const what = error === 'http_status' ? `${status}` : error
  const tries = `attempt ${number(fields, 'attempt')}, ${nextAttempt(fields)}`
  return { kind: 'failed', host, error: what, text: `${said}${what} in ${latencyMs} ms; ${tries}` }
}

/** `delivery.settled` of a delivery that is not made; the others were told by their last attempt. */
export function settledSentence(fields: LineFields): Sentence | null {
  if (fields['state'] !== 'skipped') return null
  const reason = text(fields, 'reason')
  return {
    kind: 'skipped',
    reason,
    text: `${deliveryName(fields)} to ${text(fields, 'subscriptionId')}: ${reason}`,
  }
}

/** `lines.withheld`: what went well beyond the lines that a second has. */
export function withheldSentence(fields: LineFields): Sentence {
  const [published, delivered] = [number(fields, 'published'), number(fields, 'delivered')]
  const latency = { sumMs: number(fields, 'latencySumMs'), maxMs: number(fields, 'latencyMaxMs') }
  return { kind: 'withheld', published, delivered, requests: number(fields, 'requests'), latency }
}

function deliveryName(fields: LineFields): string {
  const batchId = text(fields, 'batchId')
  const test = fields['isTest'] === true ? ' (test)' : ''
  const name =
    batchId === ''
      ? `${text(fields, 'eventType')} ${text(fields, 'eventId')}${test}`
      : `${batchId} of ${counted(number(fields, 'batchSize'), 'event')}`
  return `${name}${inWorkspace(fields)}`
}

function inWorkspace(fields: LineFields): string {
  const workspace = text(fields, 'workspace')
  return workspace === '' || workspace === DEFAULT_WORKSPACE ? '' : ` in ${workspace}`
}

function nextAttempt(fields: LineFields): string {
  const atMs = fields['nextAttemptAtMs']
  if (typeof atMs !== 'number') return 'the last'
  return atMs >= FAR_MS ? 'the last; later events of its key wait' : `the next at ${clockTime(atMs)}`
}
