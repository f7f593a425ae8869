import { withinMs } from '../base/concurrency/wait.ts'
import { describeError, type Log } from '../base/log.ts'
import type { Listening } from './hub/hub.ts'
import type { EndReason } from './hub/listener.ts'
import { MESSAGES_PER_CALL_MAX, type StreamMessage, type TellCall } from './message.ts'

/** The part that is used of the namespace of the hubs' Durable Objects. */
export type HubNamespace = {
  getByName(name: string): {
    fetch(request: Request): Promise<Response>
    tell(call: TellCall): Promise<void>
    end(id: string, reason: EndReason): Promise<void>
  }
}

/** Outcomes are written already, and the next ones wait: a hub that is slow is told no more of these. */
const TELL_MS_MAX = 1_000
const LISTEN_MS_MAX = 5_000

/** Calls the hubs of all workspaces. */
export class StreamHubs {
  readonly #namespace: HubNamespace
  readonly #log: Log

  constructor(namespace: HubNamespace, log: Log) {
    this.#namespace = namespace
    this.#log = log
  }

  /** Tells a workspace's listeners what has happened. Never rejects: nothing depends on it. */
  async tell(workspaceId: string, messages: readonly StreamMessage[]): Promise<void> {
    const told = messages.slice(0, MESSAGES_PER_CALL_MAX)
    const call: TellCall = { v: 1, messages: told, omitted: messages.length - told.length }
    try {
      await withinMs(TELL_MS_MAX, this.#namespace.getByName(workspaceId).tell(call), notAnswered)
    } catch (error) {
      this.#log('stream.untold', { workspace: workspaceId, error: describeError(error) })
    }
  }

  /** Opens a stream; null where the workspace has as many as it may. Rejects when the hub does not answer. */
  async listen(workspaceId: string, listening: Listening): Promise<ReadableStream<Uint8Array> | null> {
    const request = new Request('https://hub/', { method: 'POST', body: JSON.stringify(listening) })
    const answer = this.#namespace.getByName(workspaceId).fetch(request)
    const { status, body } = await withinMs(LISTEN_MS_MAX, answer, notAnswered).catch((error: unknown) => {
      // An answer that comes later has nobody to read it, and would hold a place.
      void answer.then((late) => late.body?.cancel()).catch(() => undefined)
      throw error
    })
    if (status === 429) return null
    if (status !== 200 || body === null) throw new Error(`the hub answered ${status}`)
    return body
  }

  /** Ends one stream. */
  async end(workspaceId: string, id: string, reason: EndReason): Promise<void> {
    await withinMs(LISTEN_MS_MAX, this.#namespace.getByName(workspaceId).end(id, reason), notAnswered)
  }
}

function notAnswered(): never {
  throw new Error('the hub did not answer')
}
