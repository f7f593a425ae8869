import type { PosthornError } from '../errors.ts'
import type { Settings } from '../options.ts'
import { readAnswer, type Sent, unreached } from './answer.ts'
import { type Retries, retryDelayMs } from './backoff.ts'
import { randomHex } from './random.ts'
import { checkTimeoutMs, Deadline, wait } from './wait.ts'

/** Options of every call. */
export type CallOptions = {
  signal?: AbortSignal | undefined
  /** Instead of the client's `timeoutMs`: the time for each attempt. */
  timeoutMs?: number | undefined
  /** Instead of the client's `retries.max`: attempts after the first. */
  maxRetries?: number | undefined
  /** Instead of a new one: the same call again under this key gets the first answer, for 24 hours. */
  idempotencyKey?: string | undefined
}

/** What callers of this package's own may ask for, too. */
export type SendOptions = Omit<CallOptions, 'idempotencyKey'> & {
  /** Null where what is sent has ids of its own, which do the same for less. */
  idempotencyKey?: string | null | undefined
  /** Instead of a number of retries: none begins later than this, in unix milliseconds. */
  giveUpAtMs?: number | undefined
}

/** A call as it goes over the wire. */
export type Request = {
  method: string
  /** With its query. */
  path: string
  /** JSON. */
  text: string | null
  /** The relay would do it twice: it is made again only where it was not done. */
  isOnce?: boolean
  /** The answer of a DELETE that finds nothing, as an earlier attempt may have done it. */
  ifGone?: Answer | undefined
}

/** The answer of a call: the JSON of a success. */
export type Answer = {
  data?: unknown
  pagination?: { nextCursor: string | null; searchedUntil?: string | null }
}

/** Makes calls, again and again where that helps. */
export class Transport {
  readonly settings: Settings

  constructor(settings: Settings) {
    this.settings = settings
  }

  /** Makes a call and reads its answer. */
  async call(request: Request, options: SendOptions = {}): Promise<Answer> {
    const { ifGone } = request
    return await this.#repeat(request, options, { read: readAnswer, isStream: false, ifGone })
  }

  /** Makes a call whose answer is a file, to be read by the caller. */
  async open(request: Request, options: SendOptions = {}): Promise<Response> {
    const read = async (response: Response, sent: Sent) => {
      if (!response.ok) await readAnswer(response, sent)
      return response
    }
    return await this.#repeat(request, options, { read, isStream: true })
  }

  async #repeat<T>(request: Request, options: SendOptions, reader: Reader<T>): Promise<T> {
    if (options.timeoutMs !== undefined) checkTimeoutMs(options.timeoutMs)
    const retries = retriesOf(this.settings, options)
    // One key for all attempts: a call whose answer was lost is not made twice.
    const { idempotencyKey = `js_${randomHex()}` } = options
    const headers = this.#headers(request, idempotencyKey)
    let mayBeDone = false
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#attempt({ request, headers, options }, reader)
      if ('value' in outcome) return outcome.value
      const { error } = outcome
      if (mayBeDone && error.code === 'not_found' && reader.ifGone !== undefined) return reader.ifGone
      mayBeDone ||= !isUndone(error)
      if (mayBeDone && request.isOnce) throw error
      const delayMs = retryDelayMs(error, retries, { attempt, random: Math.random() })
      if (delayMs === null || Date.now() + delayMs > (options.giveUpAtMs ?? Number.POSITIVE_INFINITY)) {
        throw error
      }
      await wait(delayMs, options.signal)
    }
  }

  /** One attempt. Throws only what no retry would change: the reason of the caller's own signal. */
  async #attempt<T>({ request, headers, options }: Attempt, reader: Reader<T>): Promise<Outcome<T>> {
    const { origin, fetch } = this.settings
    const { signal, timeoutMs = this.settings.timeoutMs } = options
    const url = origin + request.path
    const sent = { name: `${request.method} ${url}`, timeoutMs }
    const deadline = new Deadline(timeoutMs, signal)
    try {
      const { method, text: body } = request
      // A redirect would take the key to another host.
      const rest = { signal: deadline.signal, redirect: 'manual' } as const
      const response = await fetch(url, { method, headers, body, ...rest })
      const value = await reader.read(response, sent)
      if (!reader.isStream) deadline.end()
      return { value }
    } catch (error) {
      deadline.end()
      if (signal?.aborted) throw signal.reason
      return { error: unreached(error, sent, deadline.isOver) }
    } finally {
      deadline.endTime()
    }
  }

  #headers({ method, text }: Request, idempotencyKey: string | null): Record<string, string> {
    const { key, workspace } = this.settings
    return {
      Authorization: `Bearer ${key}`,
      ...(workspace !== null && { 'X-Company-Id': workspace }),
      ...(text !== null && { 'Content-Type': 'application/json' }),
      ...(method === 'POST' && idempotencyKey !== null && { 'Idempotency-Key': idempotencyKey }),
    }
  }
}

type Attempt = { request: Request; headers: Record<string, string>; options: SendOptions }
/** The caller reads a stream itself, for as long as that takes. */
type Reader<T> = {
  read: (response: Response, sent: Sent) => Promise<T>
  isStream: boolean
  ifGone?: T | undefined
}
type Outcome<T> = { value: T } | { error: PosthornError }

/** Of the failures that pass, a limit alone comes before anything is done: a 503 may follow what was done. */
function isUndone({ status }: PosthornError): boolean {
  return status === 429
}

function retriesOf({ retries }: Settings, { maxRetries, giveUpAtMs }: SendOptions): Retries {
  const endless = Number.POSITIVE_INFINITY
  if (giveUpAtMs !== undefined) return { ...retries, max: endless, maxRetryAfterMs: endless }
  return maxRetries === undefined ? retries : { ...retries, max: maxRetries }
}
