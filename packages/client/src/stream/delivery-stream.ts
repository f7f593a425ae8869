import type { Query, Schemas } from '../api.ts'
import type { ApiCaller } from '../http/api-caller.ts'
import type { CallOptions } from '../http/transport.ts'
import { wait } from '../http/wait.ts'
import { EventStreamParser, type ServerSentEvent } from './event-stream.ts'

/** One event of a stream of deliveries. `id` is for `lastEventId` of a later stream. */
export type StreamEvent =
  /** The stream is open: what happens from now on comes. */
  | { kind: 'ready'; id: string | null }
  /** Some are missing before the next one: the lists have them. */
  | { kind: 'gap'; id: string | null }
  /** An attempt was made, or a delivery was skipped without one. */
  | { kind: 'attempt' | 'delivery'; id: string | null; message: Schemas['StreamMessage'] }

const STREAM = '/api/v1/stream'
/** The relay writes every fifteen seconds. */
const SILENCE_MS_MAX = 45_000
/** The pause before one comes back whose stream broke off. */
const PAUSE_MS = 1_000

/**
 * Reads deliveries as they happen, and comes back where the last stream ended, until the caller leaves or the relay
 * refuses: streams end after some minutes, and with each restart.
 */
export async function* readDeliveries(
  api: ApiCaller,
  query: Query<typeof STREAM> = {},
  options: CallOptions = {},
): AsyncGenerator<StreamEvent, void, undefined> {
  let asked = query
  let again = options
  for (;;) {
    const response = await api.open(STREAM, { query: asked }, again)
    let last = ''
    for await (const event of eventsOf(response, options.signal)) {
      if (event.id !== null) asked = { ...query, lastEventId: event.id }
      last = event.event
      yield* toldBy(event)
    }
    // The first stream fails as any call does; a later one is worth waiting for.
    again = { maxRetries: Number.POSITIVE_INFINITY, ...options }
    if (last !== 'end') await wait(PAUSE_MS, options.signal)
  }
}

function toldBy({ event, data, id }: ServerSentEvent): StreamEvent[] {
  switch (event) {
    case 'ready':
    case 'gap':
      return [{ kind: event, id }]
    case 'attempt':
    case 'delivery':
      return [{ kind: event, id, message: JSON.parse(data) as Schemas['StreamMessage'] }]
    default:
      return []
  }
}

/** The events of one answer; ends where it breaks off or says nothing for too long. */
async function* eventsOf(
  { body }: Response,
  signal: AbortSignal | undefined,
): AsyncGenerator<ServerSentEvent, void, undefined> {
  if (body === null) return
  const reader = body.getReader()
  const parser = new EventStreamParser()
  const decoder = new TextDecoder()
  try {
    for (;;) {
      const chunk = await readOrSilence(() => reader.read())
      if (signal?.aborted) throw signal.reason
      if (chunk === null) return
      yield* parser.push(decoder.decode(chunk, { stream: true }))
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

/** The next chunk; null at the end, also where the connection is broken or dead. */
async function readOrSilence(
  read: () => Promise<{ done: boolean; value?: Uint8Array | undefined }>,
): Promise<Uint8Array | null> {
  return await new Promise((resolve) => {
    const timer = setTimeout(() => resolve(null), SILENCE_MS_MAX)
    const end = (chunk: Uint8Array | null) => {
      clearTimeout(timer)
      resolve(chunk)
    }
    read().then(
      ({ value }) => end(value ?? null),
      () => end(null),
    )
  })
}
