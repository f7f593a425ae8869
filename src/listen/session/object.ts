import { DurableObject } from 'cloudflare:workers'
import * as z from 'zod'
import { describeError, logToConsole } from '../../base/log.ts'
import { isSameHash, sha256 } from '../../base/secret/digest.ts'
import { endSubscription } from '../end-subscription.ts'
import {
  CLOSED,
  type ForwardedAnswer,
  forwardedRequestSchema,
  listenerMessageSchema,
  PROTOCOL,
  type RelayMessage,
} from '../protocol.ts'
import { LEASE_MS, MESSAGE_CHARS_MAX } from '../terms.ts'
import { Exchanges, type ListenerSocket } from './exchanges.ts'

/** A database that did not answer is asked again after this time. */
const END_AGAIN_MS = 10_000
const SESSION = 'session'
/** A close by the listener's own wish. */
const NORMAL_CLOSURE = 1000

const sessionSchema = z.strictObject({
  workspaceId: z.string(),
  id: z.string(),
  ticketHash: z.string(),
  renewByMs: z.number(),
})
type Session = z.infer<typeof sessionSchema>

const openingSchema = sessionSchema.omit({ renewByMs: true })

/**
 * The session of one listener, named by the id of its temporary subscription, which it deletes when it ends: by the
 * listener's wish, or once nothing is heard of it. Of requests nothing is stored.
 */
export class ListenSession extends DurableObject<Env> {
  readonly #exchanges = new Exchanges(crypto.randomUUID().slice(0, 8), (socket) =>
    this.#close(socket, CLOSED.slow, 'requests are not read'),
  )

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    // Answered without waking this object.
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'))
  }

  /** Begins the session: its listener is to connect, and to renew it, in time. Answers until when. */
  async open(opening: unknown): Promise<number> {
    return await this.#extend(openingSchema.parse(opening))
  }

  /** Goes on with the session; null where there is none. */
  async renew(): Promise<{ renewByMs: number; isConnected: boolean } | null> {
    const session = await this.#session()
    if (session === null) return null
    return { renewByMs: await this.#extend(session), isConnected: this.#socket() !== null }
  }

  /** Ends the session, whose subscription is deleted already or never came to be. */
  async end(): Promise<void> {
    await this.#forget('ended')
  }

  /** Connects a listener that has the ticket: 401 otherwise. Of two, the later one takes the place. */
  override async fetch(request: Request): Promise<Response> {
    const session = await this.#session()
    const hash = await sha256(request.headers.get('X-Ticket') ?? '')
    if (session === null || !isSameHash(session.ticketHash, hash)) return new Response(null, { status: 401 })
    const { 0: client, 1: server } = new WebSocketPair()
    for (const socket of this.ctx.getWebSockets()) this.#close(socket, CLOSED.replaced, 'replaced')
    this.ctx.acceptWebSocket(server)
    return new Response(null, {
      status: 101,
      webSocket: client,
      headers: { 'Sec-WebSocket-Protocol': PROTOCOL },
    })
  }

  /** Has a request answered by the listener; throws at anything but a `ForwardedRequest`. */
  async forward(request: unknown): Promise<ForwardedAnswer> {
    return await this.#exchanges.forward(forwardedRequestSchema.parse(request), () => this.#socket())
  }

  override async webSocketMessage(socket: WebSocket, text: string | ArrayBuffer): Promise<void> {
    const message = typeof text === 'string' && text.length <= MESSAGE_CHARS_MAX ? readMessage(text) : null
    if (message === null) return this.#close(socket, CLOSED.invalid, 'this is no message of a listener')
    this.#exchanges.take(message)
  }

  override async webSocketClose(socket: WebSocket, code: number): Promise<void> {
    this.#exchanges.drop(socket)
    // A connection whose place another one has taken is no longer the listener's.
    if (code === NORMAL_CLOSURE && this.#socket() === null) await this.#endAll()
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    this.#exchanges.drop(socket)
  }

  /** Ends the session that nobody has renewed. Never throws. */
  override async alarm(): Promise<void> {
    const session = await this.#session()
    if (session === null) return
    if (session.renewByMs > Date.now()) return await this.ctx.storage.setAlarm(session.renewByMs)
    await this.#endAll()
  }

  /** Deletes the subscription, then the session: what was not deleted is tried again. */
  async #endAll(): Promise<void> {
    const session = await this.#session()
    if (session === null) return
    try {
      await endSubscription(this.env.DB, session, Date.now())
      await this.#forget('lapsed')
    } catch (error) {
      logToConsole('listen.not-ended', { webhook: session.id, error: describeError(error) })
      await this.ctx.storage.put(SESSION, { ...session, renewByMs: 0 })
      await this.ctx.storage.setAlarm(Date.now() + END_AGAIN_MS)
    }
  }

  async #forget(reason: 'ended' | 'lapsed'): Promise<void> {
    for (const socket of this.ctx.getWebSockets()) this.#close(socket, CLOSED[reason], reason)
    await this.ctx.storage.deleteAlarm()
    await this.ctx.storage.deleteAll()
  }

  async #session(): Promise<Session | null> {
    const stored = await this.ctx.storage.get(SESSION)
    return stored === undefined ? null : sessionSchema.parse(stored)
  }

  async #extend(session: Omit<Session, 'renewByMs'>): Promise<number> {
    const renewByMs = Date.now() + LEASE_MS
    await this.ctx.storage.put(SESSION, { ...session, renewByMs })
    await this.ctx.storage.setAlarm(renewByMs)
    return renewByMs
  }

  #socket(): WebSocket | null {
    return this.ctx.getWebSockets().findLast(({ readyState }) => readyState === WebSocket.OPEN) ?? null
  }

  #close(socket: ListenerSocket, code: number, reason: string): void {
    this.#exchanges.drop(socket)
    const sockets = this.ctx.getWebSockets().filter(({ readyState }) => readyState === WebSocket.OPEN)
    const open = sockets.find((each) => each === socket)
    open?.send(JSON.stringify({ type: 'closing', code, reason } satisfies RelayMessage))
    open?.close(code, reason)
  }
}

function readMessage(text: string) {
  try {
    return listenerMessageSchema.safeParse(JSON.parse(text)).data ?? null
  } catch {
    return null
  }
}
