import { type CustomProfile, type ProfileName, verify } from '../../../../src/signature/index.ts'
import { type Answered, type LocalServer, type ReceivedRequest, serveLocally } from './node-http.ts'

type Profile = ProfileName | 'custom'

export type ReceiverOptions = {
  /** The subscription's secret, or several. */
  secret: string | readonly string[]
  /** The subscription's profile. Default `standard`. */
  profile?: Profile
  /** The subscription's `custom`, with the profile `custom`. */
  custom?: CustomProfile
  /** Default: one that is free. */
  port?: number
}

/** An event that arrived, with a signature that is right. */
export type ReceivedEvent = {
  /** Null under a profile whose payload has none. */
  id: string | null
  /** The event as it was sent. */
  event: unknown
  path: string
  headers: Record<string, string | string[] | undefined>
}

export type WaitOptions = {
  /** Default 5,000. */
  timeoutMs?: number
}

type Waiter = { check: () => void }
const WAIT_MS = 5_000

/** A receiver on loopback that believes only what is signed, and waits for deliveries. */
export class TestReceiver {
  readonly #options: ReceiverOptions
  readonly #received: ReceivedEvent[] = []
  readonly #refused: string[] = []
  readonly #answers: Answered[] = []
  readonly #waiters = new Set<Waiter>()
  #server: LocalServer | null = null

  constructor(options: ReceiverOptions) {
    this.#options = options
  }

  /** The address for a subscription. The relay must take http and private addresses, as `npm start` does. */
  get url(): string {
    if (this.#server === null) throw new Error('The receiver is not started')
    return `http://127.0.0.1:${this.#server.port}/`
  }

  /** Events that arrived, each member of a batch alone, repeated ones included. */
  get received(): readonly ReceivedEvent[] {
    return this.#received
  }

  /** Why requests were not believed. They were answered 401. */
  get refused(): readonly string[] {
    return this.#refused
  }

  async start(): Promise<this> {
    this.#server = await serveLocally(this.#options.port ?? 0, (request) => this.#handle(request))
    return this
  }

  async close(): Promise<void> {
    await this.#server?.close()
    this.#server = null
  }

  /** Answers the next genuine requests so, one after the other, instead of 200. */
  answerNext(...answers: (number | Answered)[]): void {
    this.#answers.push(...answers.map((answer) => (typeof answer === 'number' ? { status: answer } : answer)))
  }

  /** Resolves with the first event that is meant, once it is there: one of a type, or one that a predicate accepts. */
  async waitFor(
    meant: string | ((event: ReceivedEvent) => boolean),
    options?: WaitOptions,
  ): Promise<ReceivedEvent> {
    const isMeant =
      typeof meant === 'string' ? (event: ReceivedEvent) => typeOf(event.event) === meant : meant
    const name = typeof meant === 'string' ? meant : 'an event that the predicate accepts'
    return await this.#until(() => this.#received.find(isMeant), name, options)
  }

  /** Resolves with all events once there are so many. */
  async waitForCount(count: number, options?: WaitOptions): Promise<readonly ReceivedEvent[]> {
    const all = () => (this.#received.length >= count ? this.#received : undefined)
    return await this.#until(all, `${count} events`, options)
  }

  async #handle({ path, headers, body }: ReceivedRequest): Promise<Answered> {
    const { secret, profile = 'standard', custom } = this.#options
    const result = await verify({ body, headers, secret, profile, custom })
    if (!result.ok) {
      this.#refused.push(`${result.reason}: ${result.message}`)
      return { status: 401, body: result.message }
    }
    const answer = this.#answers.shift() ?? { status: 200 }
    for (const event of result.events as readonly unknown[]) {
      this.#received.push({ id: idOf(event) ?? result.id ?? null, event, path, headers })
    }
    for (const { check } of [...this.#waiters]) check()
    return answer
  }

  #until<T>(find: () => T | undefined, name: string, { timeoutMs = WAIT_MS }: WaitOptions = {}): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer)
        this.#waiters.delete(waiter)
      }
      const timer = setTimeout(() => {
        end()
        reject(new Error(this.#missing(name, timeoutMs)))
      }, timeoutMs)
      const waiter = {
        check: () => {
          const found = find()
          if (found === undefined) return
          end()
          resolve(found)
        },
      }
      this.#waiters.add(waiter)
      waiter.check()
    })
  }

  #missing(name: string, timeoutMs: number): string {
    const types = this.#received.map(({ event }) => typeOf(event) ?? 'an event without a type')
    const arrived = types.length === 0 ? 'Nothing has arrived.' : `Arrived: ${types.join(', ')}.`
    const refused = this.#refused.length === 0 ? '' : ` Refused: ${this.#refused.join('; ')}.`
    return `Waited ${timeoutMs} ms for ${name}. ${arrived}${refused}`
  }
}

/** Starts a receiver. */
export async function startReceiver(options: ReceiverOptions): Promise<TestReceiver> {
  return await new TestReceiver(options).start()
}

function typeOf(event: unknown): string | null {
  return textOf(event, 'event') ?? textOf(event, 'type')
}

function idOf(event: unknown): string | null {
  return textOf(event, 'id')
}

function textOf(event: unknown, name: string): string | null {
  if (typeof event !== 'object' || event === null) return null
  const value = (event as Record<string, unknown>)[name]
  return typeof value === 'string' ? value : null
}
