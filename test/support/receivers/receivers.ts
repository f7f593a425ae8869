import { vi } from 'vitest'

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

  /** Answers every request of this isolate from now on. */
  takeNetwork(): void {
    this.#received.length = 0
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
      const request = new Request(input, init)
      this.#received.push({ url: request.url, headers: request.headers, body: await request.text() })
      const script = this.#scripts.get(request.url)
      const next = script === undefined || script.length > 1 ? script?.shift() : script[0]
      if (next === undefined) return new Response('Event processed successfully')
      return typeof next === 'function' ? await next() : new Response(next.body ?? null, next)
    })
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
}

export const receivers = new Receivers()
