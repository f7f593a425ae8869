/** A published event as a test writes it. */
export type TestEvent = { id?: string; event: string; data: object }

/** What a publish was answered with, event by event; `ids` are those answered with 202, duplicates included. */
export type Published = { status: number; ids: string[]; matched: number[] }

type ItemAnswer = { status: string; id?: string; matched?: number }

/** Speaks the relay's API for one workspace. */
export class RelayClient {
  readonly #url: string
  readonly #headers: Record<string, string>
  /** The longest that a publish has taken to be accepted, its commit included. */
  slowestPublishMs = 0

  constructor(relay: { url: string; adminKey: string }, workspace = 'default') {
    this.#url = relay.url
    this.#headers = {
      Authorization: `Bearer ${relay.adminKey}`,
      'X-Company-Id': workspace,
      'Content-Type': 'application/json',
    }
  }

  /** Creates a subscription and answers its id. */
  async subscribe(settings: { url: string; events: string[] } & Record<string, unknown>): Promise<string> {
    const response = await this.#post('/webhooks/subscribe', JSON.stringify(settings))
    const text = await response.text()
    if (response.status !== 201) throw new Error(`subscribe was answered ${response.status}: ${text}`)
    return (JSON.parse(text) as { data: { id: string } }).data.id
  }

  /** Publishes one event, or several in one request. Rejects when there is no answer. */
  async publish(events: TestEvent | readonly TestEvent[]): Promise<Published> {
    return await this.publishText(JSON.stringify(Array.isArray(events) ? { events } : events))
  }

  /** Publishes a text as it stands. */
  async publishText(text: string): Promise<Published> {
    const startedAtMs = Date.now()
    const response = await this.#post('/events', text)
    this.slowestPublishMs = Math.max(this.slowestPublishMs, Date.now() - startedAtMs)
    if (response.status !== 202) {
      await response.text()
      return { status: response.status, ids: [], matched: [] }
    }
    const { data } = (await response.json()) as { data: ItemAnswer | { events: ItemAnswer[] } }
    const items = ('events' in data ? data.events : [data]).filter(({ id }) => id !== undefined)
    return {
      status: 202,
      ids: items.map(({ id }) => id ?? ''),
      matched: items.map(({ matched }) => matched ?? 0),
    }
  }

  async #post(path: string, body: string): Promise<Response> {
    const signal = AbortSignal.timeout(30_000)
    return await fetch(`${this.#url}/api/v1${path}`, { method: 'POST', headers: this.#headers, body, signal })
  }
}
