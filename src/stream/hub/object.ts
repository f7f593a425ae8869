import { DurableObject } from 'cloudflare:workers'
import * as z from 'zod'
import { streamFilterSchema } from '../filter.ts'
import { tellCallSchema } from '../message.ts'
import { STREAM_MS_MAX } from '../terms.ts'
import { Hub } from './hub.ts'

const BEAT_MS = 15_000
/** A stream ends by its isolate's doing; one whose isolate is gone ends so much later. */
const ORPHAN_MS = 30_000

const listeningSchema = z.strictObject({
  id: z.string().min(1).max(100),
  filter: streamFilterSchema,
  lastEventId: z.string().max(200).nullable(),
})

/**
 * Hands what consumers tell of a workspace's deliveries on to those who listen; named by the workspace's id. It stores
 * nothing: who comes back after its end is told that messages are missing.
 */
export class StreamHub extends DurableObject<Env> {
  readonly #hub = new Hub(crypto.randomUUID().slice(0, 8))
  #beating: ReturnType<typeof setInterval> | null = null

  /** Opens a stream; 429 where the workspace has as many as it may. */
  override async fetch(request: Request): Promise<Response> {
    const listening = listeningSchema.parse(await request.json())
    const body = this.#hub.listen(listening, Date.now())
    if (body === null) return new Response(null, { status: 429 })
    this.#beating ??= setInterval(() => this.#beat(), BEAT_MS)
    return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } })
  }

  /** Hands messages on; throws at anything but a `TellCall`. */
  async tell(call: unknown): Promise<void> {
    this.#hub.tell(tellCallSchema.parse(call))
  }

  /** Ends one stream whose caller may not see it any more, or has had it for long enough. */
  async end(id: string, reason: 'lifetime' | 'credential'): Promise<void> {
    this.#hub.end(id, reason)
  }

  #beat(): void {
    this.#hub.beat(Date.now(), STREAM_MS_MAX + ORPHAN_MS)
    if (this.#hub.size > 0 || this.#beating === null) return
    clearInterval(this.#beating)
    this.#beating = null
  }
}
