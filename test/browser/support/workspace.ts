import { randomBytes } from 'node:crypto'
import { expect, inject, vi } from 'vitest'

/** A workspace of a test's own in the relay that all tests share. */
export class Workspace {
  readonly id = `w-${randomBytes(6).toString('hex')}`
  readonly #url = inject('relayUrl')

  /** The address of a page, as the operator sees it. */
  at(page: string): string {
    return `${this.#url}/w/${this.id}${page}`
  }

  /** Makes a call of the API in this workspace and answers its `data`. */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.#url}/api/v1${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${inject('adminKey')}`,
        'X-Company-Id': this.id,
        'Content-Type': 'application/json',
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const answer = (await response.json()) as { data: T }
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`)
    return answer.data
  }

  /** Creates a subscription and answers its id. */
  async subscribe(url: string, settings: Record<string, unknown> = {}): Promise<string> {
    const body = { url, events: ['*'], secret: 'a-secret-of-the-test', ...settings }
    return (await this.call<{ id: string }>('POST', '/webhooks', body)).id
  }

  /** Publishes an event and answers its id. */
  async publish(event: string, data: Record<string, unknown> = { object: { id: 'inv_1' } }): Promise<string> {
    return (await this.call<{ id: string }>('POST', '/events', { event, data })).id
  }

  /** Publishes events with own numbers in one call. */
  async publishMany(event: string, count: number): Promise<void> {
    const events = Array.from({ length: count }, (_, n) => ({ event, data: { object: { id: `inv_${n}` } } }))
    await this.call('POST', '/events', { events })
  }

  /** Waits until so many deliveries are in a state. */
  async waitForStatus(status: string, count: number): Promise<void> {
    const read = () => this.call<unknown[]>('GET', `/deliveries?status=${status}`)
    const isReached = async () => expect(await read()).toHaveLength(count)
    await vi.waitFor(isReached, { timeout: 30_000, interval: 100 })
  }
}
