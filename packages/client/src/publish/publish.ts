import type { Schemas } from '../api.ts'
import { type ErrorCode, isPosthornError, PosthornError } from '../errors.ts'
import type { SendOptions, Transport } from '../http/transport.ts'
import { bytesOf } from './new-event.ts'

/** What became of one event of several. */
export type PublishResult = Schemas['AcceptedEvent'] | Schemas['RejectedEvent']

const PATH = '/api/v1/events'
/** What the relay takes in one request, with room for the brackets around. */
const EVENTS_MAX = 1_000
const BYTES_MAX = 10_485_760 - 64
/** Refusals of a request that may be the fault of one event in it. */
const OF_ONE_EVENT: readonly ErrorCode[] = ['invalid_request', 'payload_too_large', 'conflict']
/** Fields of a request's head: no event is at fault for them. */
const HEAD_FIELDS = ['X-Company-Id', 'Idempotency-Key']

/** Publishes an event that is JSON already. */
export async function publishOne(
  transport: Transport,
  text: string,
  options?: SendOptions,
): Promise<Schemas['AcceptedEvent']> {
  const { data } = await transport.call({ method: 'POST', path: PATH, text }, options)
  return data as Schemas['AcceptedEvent']
}

/** Publishes events that are JSON already, in as few requests as the relay takes. */
export async function publishInChunks(
  transport: Transport,
  texts: readonly string[],
  options: SendOptions = {},
): Promise<PublishResult[]> {
  const { idempotencyKey } = options
  const results: PublishResult[] = []
  for (const [i, chunk] of chunksOf(texts).entries()) {
    const own = idempotencyKey == null ? {} : { idempotencyKey: `${idempotencyKey}:${i}` }
    results.push(...(await publishMany(transport, chunk, { ...options, ...own })))
  }
  return results
}

/**
 * Publishes events in one request. Where the whole request is refused for what may be one event's fault, it is halved
 * until the others are accepted.
 */
export async function publishMany(
  transport: Transport,
  texts: readonly string[],
  options: SendOptions = {},
): Promise<PublishResult[]> {
  try {
    const text = `{"events":[${texts.join(',')}]}`
    const { data } = await transport.call({ method: 'POST', path: PATH, text }, options)
    return (data as { events: PublishResult[] }).events
  } catch (error) {
    if (!isPosthornError(error) || !mayBeOfOneEvent(error)) throw error
    const [only] = texts
    if (only === undefined || texts.length === 1) return [rejected(error)]
    return await publishHalves(transport, texts, options)
  }
}

/** The error of an event that was rejected alone. */
export function rejectionOf({ error }: Schemas['RejectedEvent']): PosthornError {
  return new PosthornError(error.code, error.message, { details: error.details ?? [] })
}

function mayBeOfOneEvent({ code, details, isTransient }: PosthornError): boolean {
  if (!OF_ONE_EVENT.includes(code) || isTransient) return false
  return !details.some(({ path }) => HEAD_FIELDS.includes(path))
}

async function publishHalves(
  transport: Transport,
  texts: readonly string[],
  options: SendOptions,
): Promise<PublishResult[]> {
  const middle = Math.ceil(texts.length / 2)
  const { idempotencyKey: key } = options
  const half = (name: string) => (key == null ? options : { ...options, idempotencyKey: `${key}:${name}` })
  const first = await publishMany(transport, texts.slice(0, middle), half('a'))
  return [...first, ...(await publishMany(transport, texts.slice(middle), half('b')))]
}

function rejected({ code, message, details }: PosthornError): Schemas['RejectedEvent'] {
  // Only refusals of the relay come here: see OF_ONE_EVENT.
  return {
    status: 'rejected',
    error: { code: code as Schemas['RejectedEvent']['error']['code'], message, details: [...details] },
  }
}

function chunksOf(texts: readonly string[]): string[][] {
  const chunks: string[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const text of texts) {
    const more = bytesOf(text) + 1
    const last = chunks.at(-1)
    if (last === undefined || bytes + more > BYTES_MAX || last.length >= EVENTS_MAX) {
      chunks.push([text])
      bytes = more
    } else {
      last.push(text)
      bytes += more
    }
  }
  return chunks
}
