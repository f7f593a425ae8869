import type { Data, Schemas } from '../api.ts'
import { isPosthornError, PosthornError } from '../errors.ts'
import type { ApiCaller } from '../http/api-caller.ts'
import { answerBy } from './forward.ts'
import { ListenerSocket } from './listener-socket.ts'
import type { ReceivedRequest } from './messages.ts'
import type { ListenSettings } from './options.ts'

const ALL = '/api/v1/listeners'
const ONE = '/api/v1/listeners/{id}'

/** The relay forgets a listener that has not called for a minute. */
const RENEW_MS = 20_000
const RECONNECT_MS = { first: 250, max: 5_000 }
/** Codes of a close that is meant: of a listener that was deleted, or whose place another connection has taken. */
const MEANT: Readonly<Record<number, string>> = {
  4000: 'The listener was ended by another call',
  4001: 'Another connection has taken the place of this one',
}
/** Tries of a first connection: where none succeeds, something on the way lets no WebSocket pass. */
const FIRST_TRIES_MAX = 5

type Opened = Data<typeof ALL, 'post'>

/** Receives deliveries of a temporary subscription, and forwards them, until it is closed. */
export class Listener {
  /** Settles once it is over; rejects where that was not asked for. */
  readonly closed: Promise<void>
  readonly #api: ApiCaller
  readonly #options: ListenSettings
  readonly #over = deferred()
  readonly #inHand = new Map<string, AbortController>()
  #opened: Opened
  #socket: ListenerSocket | null = null
  #renewing: ReturnType<typeof setInterval> | null = null
  #renewal: Promise<boolean> | null = null
  #reconnecting: ReturnType<typeof setTimeout> | null = null
  #failures = 0
  #isNew = false
  #isOver = false

  private constructor(api: ApiCaller, options: ListenSettings, opened: Opened) {
    this.#api = api
    this.#options = options
    this.#opened = opened
    this.closed = this.#over.promise
    // One who does not wait for the end is told of it by `onStatus`.
    this.closed.catch(() => undefined)
  }

  /** Opens a listener; resolves once it is connected. Rejects with the relay's refusal. */
  static async open(api: ApiCaller, options: ListenSettings): Promise<Listener> {
    const { signal } = options.local
    const opened = await api.call('post', ALL, { body: options.settings }, { signal })
    const listener = new Listener(api, options, opened)
    signal?.addEventListener('abort', () => void listener.close(), { once: true })
    await listener.#begin()
    return listener
  }

  /** The temporary subscription, which is another one where the relay had forgotten this listener. */
  get subscription(): Schemas['Subscription'] {
    return this.#opened.webhook
  }

  get id(): string {
    return this.#opened.id
  }

  /** Ends it: the subscription is deleted, and what it is still owed is skipped. */
  async close(): Promise<void> {
    if (this.#isOver) return
    this.#end(null)
    await this.#delete()
  }

  async #begin(): Promise<void> {
    const connected = deferred()
    this.#connect(connected.resolve)
    this.#renewing = setInterval(() => void this.#renew(), RENEW_MS)
    await Promise.race([connected.promise, this.closed])
  }

  #connect(onConnected?: () => void): void {
    const { protocols, socketUrl } = this.#opened
    const { origin } = this.#api.transport.settings
    const url = origin.replace(/^http/, 'ws') + new URL(socketUrl).pathname
    let isOpen = false
    this.#socket = new ListenerSocket(
      this.#options.local.WebSocket,
      { url, protocols },
      {
        onOpen: () => {
          this.#failures = 0
          isOpen = true
          this.#tell({ kind: 'connected', isNew: this.#isNew })
          this.#isNew = false
          onConnected?.()
        },
        onRequest: (request) => void this.#forward(request),
        onCancel: (id) => this.#inHand.get(id)?.abort(),
        onClose: (code, reason) => this.#disconnected(code, reason, isOpen ? undefined : onConnected),
      },
    )
  }

  #disconnected(code: number, reason: string, onConnected: (() => void) | undefined): void {
    for (const each of this.#inHand.values()) each.abort()
    if (this.#isOver) return
    const meant = MEANT[code]
    if (meant !== undefined) this.#end(new PosthornError('closed', meant))
    else if (onConnected !== undefined && this.#failures >= FIRST_TRIES_MAX) this.#unreached()
    else this.#connectAgain(reason || `the connection was closed (${code})`, onConnected)
  }

  #connectAgain(reason: string, onConnected: (() => void) | undefined): void {
    const retryInMs = Math.min(RECONNECT_MS.max, RECONNECT_MS.first * 2 ** this.#failures++)
    this.#tell({ kind: 'disconnected', retryInMs, reason })
    // The relay may have forgotten it meanwhile, or not want it any more.
    const again = async () => {
      if (this.#failures > 1 && !(await this.#renew())) return
      if (!this.#isOver) this.#connect(onConnected)
    }
    this.#reconnecting = setTimeout(() => void again(), retryInMs)
  }

  /** Says that it is still there; opens it anew where the relay has forgotten it. False where it is over. */
  async #renew(): Promise<boolean> {
    this.#renewal ??= this.#renewOnce().finally(() => {
      this.#renewal = null
    })
    return await this.#renewal
  }

  async #renewOnce(): Promise<boolean> {
    try {
      await this.#api.call('put', ONE, { path: { id: this.id } }, { maxRetries: 0, timeoutMs: 10_000 })
    } catch (error) {
      if (!isPosthornError(error) || !(error.isTransient || error.code === 'not_found'))
        return this.#fail(error)
      if (error.code === 'not_found' && !this.#isOver) return await this.#reopen()
    }
    return !this.#isOver
  }

  async #reopen(): Promise<boolean> {
    const { secret } = this.#opened.webhook
    const isShown = !/^[*•]+$/.test(secret)
    const { settings } = this.#options
    try {
      const body = isShown ? { ...settings, secret } : settings
      this.#opened = await this.#api.call('post', ALL, { body }, { maxRetries: 0, timeoutMs: 10_000 })
    } catch (error) {
      return isPosthornError(error) && error.isTransient ? !this.#isOver : this.#fail(error)
    }
    if (this.#isOver) await this.#delete()
    this.#isNew = true
    return !this.#isOver
  }

  async #forward(request: ReceivedRequest): Promise<void> {
    const socket = this.#socket
    const abort = new AbortController()
    const startedAtMs = Date.now()
    this.#inHand.set(request.id, abort)
    socket?.send({ type: 'received', id: request.id })
    const answer = await answerBy(this.#options.local.forward, request, abort.signal)
    this.#inHand.delete(request.id)
    socket?.send(answer)
    const { headers, body } = request
    this.#options.local.onDelivery?.({
      headers,
      body,
      status: answer.type === 'answer' ? answer.status : null,
      error: answer.type === 'failed' ? answer.message : null,
      latencyMs: Date.now() - startedAtMs,
    })
  }

  #unreached(): void {
    const message = 'no WebSocket could be opened: does a proxy on the way let none pass?'
    this.#end(new PosthornError('connection', message))
    void this.#delete()
  }

  async #delete(): Promise<void> {
    try {
      await this.#api.call('delete', ONE, { path: { id: this.id } }, { maxRetries: 1, timeoutMs: 5_000 })
    } catch (error) {
      // The relay forgets it within a minute in any case.
      if (!isPosthornError(error)) throw error
    }
  }

  #fail(error: unknown): false {
    this.#end(
      isPosthornError(error) ? error : new PosthornError('connection', String(error), { cause: error }),
    )
    return false
  }

  #end(error: PosthornError | null): void {
    if (this.#isOver) return
    this.#isOver = true
    if (this.#renewing !== null) clearInterval(this.#renewing)
    if (this.#reconnecting !== null) clearTimeout(this.#reconnecting)
    this.#socket?.close()
    this.#tell({ kind: 'ended', error })
    if (error === null) this.#over.resolve()
    else this.#over.reject(error)
  }

  #tell(status: Parameters<NonNullable<ListenSettings['local']['onStatus']>>[0]): void {
    this.#options.local.onStatus?.(status)
  }
}

function deferred() {
  let resolve: () => void = () => undefined
  let reject: (error: unknown) => void = () => undefined
  const promise = new Promise<void>((onDone, onFailed) => {
    resolve = onDone
    reject = onFailed
  })
  return { promise, resolve, reject }
}
