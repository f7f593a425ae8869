/** One request as a receiver got it. */
export type Received = { url: string; headers: Headers; body: string }

/** What a receiver answers; a function where it does more than that, such as waiting. */
type Reply =
  | { status?: number; body?: string; headers?: Record<string, string> }
  | (() => Response | Promise<Response>)

/**
 * Stands in for the network the relay delivers to: the Worker runs in the tests' isolate, so its `fetch` is ours.
 * Every URL answers 200 unless it has a script, whose last answer serves all further requests.
 */
class Receivers {
  readonly #scripts = new Map<string, Reply[]>()
  readonly #received: Received[] = []

  constructor() {
    // No spy: those are taken back after each test file, and consumers of the last one would reach the network.
    globalThis.fetch = (input, init) => this.#answer(new Request(input, init))
  }

  /** Forgets what earlier test files have sent. */
  forget(): void {
    this.#received.length = 0
    this.#scripts.clear()
  }

  /** A URL of its own, with what it answers in turn. */
  url(...script: Reply[]): string {
    const url = `https://receiver.example.com/${crypto.randomUUID()}`
    if (script.length > 0) this.#scripts.set(url, script)
    return url
  }

  /** Everything that was sent to anybody. */
  all(): readonly Received[] {
    return this.#received
  }

  /** What a URL has received so far. */
  received(url: string): Received[] {
    return this.#received.filter((request) => request.url === url)
  }

  async #answer(request: Request): Promise<Response> {
    this.#received.push({ url: request.url, headers: request.headers, body: await request.text() })
    const script = this.#scripts.get(request.url)
    const next = script === undefined || script.length > 1 ? script?.shift() : script[0]
    if (next === undefined) return new Response('Event processed successfully')
    return typeof next === 'function' ? await next() : new Response(next.body ?? null, next)
  }
}

/** Importing this takes the network away from the runtime. */
export const receivers = new Receivers()
