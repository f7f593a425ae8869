import { setTimeout as sleep } from 'node:timers/promises'

/** What the API answered: its status, the text as it came, and the text's `data`. */
export type ApiAnswer<T> = { status: number; text: string; data: T }

/** Any call of a relay's API in one workspace, for tests that look at the answers themselves. */
export class RelayApi {
  readonly #url: string
  readonly #headers: Record<string, string>
  /** Every answer so far, for tests of what no answer may hold. */
  readonly answers: { call: string; text: string }[] = []

  constructor(relay: { url: string; adminKey: string }, workspace: string) {
    this.#url = relay.url
    this.#headers = {
      Authorization: `Bearer ${relay.adminKey}`,
      'X-Company-Id': workspace,
      'Content-Type': 'application/json',
    }
  }

  /**
   * Calls a path below `/api/v1`; a body is sent as JSON, a string as it stands.
   *
   * @throws Error when the answer is no success
   */
  async call<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: object | string,
  ): Promise<ApiAnswer<T>> {
    const response = await fetch(`${this.#url}/api/v1${path}`, {
      method,
      headers: this.#headers,
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    })
    const { status } = response
    const text = await response.text()
    this.answers.push({ call: `${method} ${path}`, text })
    if (!response.ok) throw new Error(`${method} ${path} was answered ${status}: ${text}`)
    return { status, text, data: (JSON.parse(text) as { data: T }).data }
  }

  /** Creates a subscription and answers it. */
  async subscribe(settings: { url: string } & Record<string, unknown>): Promise<Subscribed> {
    return (await this.call<Subscribed>('POST', '/webhooks/subscribe', { events: ['*'], ...settings })).data
  }

  /** Publishes one event and answers its id. */
  async publish(event: object | string): Promise<string> {
    return (await this.call<{ id: string }>('POST', '/events', event)).data.id
  }

  /** A subscription's log, newest first, once it satisfies a condition: outcomes are recorded after the answer. */
  async log(id: string, condition: (rows: readonly LogRow[]) => boolean): Promise<LogRow[]> {
    const deadline = Date.now() + 15_000
    for (;;) {
      const { data, text } = await this.call<LogRow[]>('GET', `/webhooks/${id}/logs?limit=100`)
      if (condition(data)) return data
      if (Date.now() > deadline) throw new Error(`the log of ${id} stays ${text}`)
      await sleep(50)
    }
  }
}

/** The answer to a creation, as far as these tests read it. */
export type Subscribed = { id: string; secret: string; publicKeys?: string[] }

/** A row of a subscription's log, as far as these tests read it. */
export type LogRow = {
  id: string
  event: string
  status: string
  retryCount: number
  error: string | null
  explanation: string | null
  attempts: { error: string | null; explanation: string | null; responseCode: number | null }[]
}
