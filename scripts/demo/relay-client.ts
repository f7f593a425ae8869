/** Which relay, as whom, and in which workspace. */
export type RelayTarget = { url: string; key: string; workspace: string }

/** The relay refused a call or could not be reached; the message needs no stack. */
export class RelayCallError extends Error {
  override readonly name = 'RelayCallError'
}

const CALL_TIMEOUT_MS = 15_000

/** The few calls of the API that the demo makes. Texts are sent as they are. */
export class RelayClient {
  readonly #target: RelayTarget
  readonly #signal: AbortSignal

  constructor(target: RelayTarget, signal: AbortSignal) {
    this.#target = target
    this.#signal = signal
  }

  async subscribe(subscription: object): Promise<{ id: string }> {
    return (await this.#call('POST', '/webhooks/subscribe', { body: JSON.stringify(subscription) })) as {
      id: string
    }
  }

  async publish(text: string): Promise<{ id: string; status: string; matched: number }> {
    const answer = await this.#call('POST', '/events', { body: text })
    return answer as { id: string; status: string; matched: number }
  }

  /** Also after an interruption, so that nothing is left behind. */
  async unsubscribe(id: string): Promise<void> {
    await this.#call('DELETE', `/webhooks/${id}`, { evenInterrupted: true })
  }

  async #call(
    method: string,
    path: string,
    { body, evenInterrupted = false }: { body?: string; evenInterrupted?: boolean },
  ): Promise<unknown> {
    const { url, key, workspace } = this.#target
    const headers = {
      Authorization: `Bearer ${key}`,
      'X-Company-Id': workspace,
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
    }
    const timeout = AbortSignal.timeout(CALL_TIMEOUT_MS)
    const signal = evenInterrupted ? timeout : AbortSignal.any([this.#signal, timeout])
    const request = { method, headers, signal, ...(body !== undefined && { body }) }
    const response = await fetch(`${url}/api/v1${path}`, request).catch((error: unknown) => {
      if (this.#signal.aborted && !evenInterrupted) throw error
      throw new RelayCallError(`${method} ${url}/api/v1${path} got no answer: ${reasonOf(error)}`)
    })
    const text = await response.text()
    if (response.ok) return (JSON.parse(text) as { data: unknown }).data
    throw new RelayCallError(`${method} ${path} was answered with ${response.status}: ${text}`)
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}
