import { withinMs } from '../base/concurrency/wait.ts'
import { describeError, type Log } from '../base/log.ts'
import type { ForwardedAnswer, ForwardedRequest } from './protocol.ts'

type Opening = { workspaceId: string; id: string; ticketHash: string }

/** The part that is used of the namespace of the sessions' Durable Objects. */
export type SessionNamespace = {
  getByName(name: string): {
    open(opening: Opening): Promise<number>
    renew(): Promise<{ renewByMs: number; isConnected: boolean } | null>
    end(): Promise<void>
    forward(request: ForwardedRequest): Promise<unknown>
    fetch(request: Request): Promise<Response>
  }
}

const ANSWER_MS_MAX = 5_000
/** Statuses whose answers have no body. */
const WITHOUT_BODY = [204, 205, 304]

/** Calls the sessions of all listeners. */
export class Listeners {
  readonly #namespace: SessionNamespace
  readonly #log: Log

  constructor(namespace: SessionNamespace, log: Log) {
    this.#namespace = namespace
    this.#log = log
  }

  /** Begins a session; answers until when it has to be renewed. Rejects when it does not answer. */
  async open(opening: Opening): Promise<number> {
    return await withinMs(ANSWER_MS_MAX, this.#namespace.getByName(opening.id).open(opening), notAnswered)
  }

  /** Goes on with a session; null where there is none. Rejects when it does not answer. */
  async renew(id: string): Promise<{ renewByMs: number; isConnected: boolean } | null> {
    return await withinMs(ANSWER_MS_MAX, this.#namespace.getByName(id).renew(), notAnswered)
  }

  /** Ends a session whose subscription is deleted. Never rejects: it ends by itself as well. */
  async end(id: string): Promise<void> {
    try {
      await withinMs(ANSWER_MS_MAX, this.#namespace.getByName(id).end(), notAnswered)
    } catch (error) {
      this.#log('listen.not-ended', { webhook: id, error: describeError(error) })
    }
  }

  /** Connects a listener; null where the ticket is not that of a session. */
  async connect(id: string, ticket: string): Promise<WebSocket | null> {
    const request = new Request('https://listener/', {
      headers: { Upgrade: 'websocket', 'X-Ticket': ticket },
    })
    const answer = this.#namespace.getByName(id).fetch(request)
    return (await withinMs(ANSWER_MS_MAX, answer, notAnswered)).webSocket
  }

  /** The `fetch` that has requests answered by a listener, in this time. It rejects as for a receiver that is away. */
  fetchFor = (id: string, timeoutMs: number): typeof fetch => {
    return async (_, init = {}) => {
      const { method = 'POST', headers, body, signal } = init
      const request = {
        method,
        headers: headers as Record<string, string>,
        body: body as Uint8Array<ArrayBuffer>,
        timeoutMs,
      }
      const answer = this.#namespace.getByName(id).forward(request) as Promise<ForwardedAnswer>
      return responseOf(await unlessAborted(answer, signal))
    }
  }
}

function notAnswered(): never {
  throw new Error('the session did not answer')
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | null | undefined): Promise<T> {
  if (!signal) return await work
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

function responseOf(answer: ForwardedAnswer): Response {
  switch (answer.kind) {
    case 'unanswered':
      throw new Error(answer.message)
    case 'answered': {
      const { status, headers, body } = answer
      return new Response(WITHOUT_BODY.includes(status) ? null : body, { status, headers })
    }
  }
}
