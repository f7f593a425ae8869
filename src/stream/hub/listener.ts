import { type StreamFilter, wants } from '../filter.ts'
import { LISTENER_BYTES_MAX } from '../terms.ts'
import type { Numbered } from './recent.ts'

/** Time after which a listener is to come back, in milliseconds. */
const RETRY_MS = 2_000

const encoder = new TextEncoder()

/** The reason for which a stream ends; its listener comes back, but for the last. */
export type EndReason = 'slow' | 'lifetime' | 'credential'

/** One who listens: messages go out as server-sent events, and none waits for a reader beyond a bound. */
export class Listener {
  readonly body: ReadableStream<Uint8Array>
  readonly #filter: StreamFilter
  readonly #epoch: string
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null

  constructor(filter: StreamFilter, { epoch, onEnd }: { epoch: string; onEnd: () => void }) {
    this.#filter = filter
    this.#epoch = epoch
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller
        },
        cancel: () => {
          this.#controller = null
          onEnd()
        },
      },
      new ByteLengthQueuingStrategy({ highWaterMark: LISTENER_BYTES_MAX }),
    )
  }

  get isOpen(): boolean {
    return this.#controller !== null
  }

  /** Greets, and says where the stream begins, so that one who comes back without having seen anything is in place. */
  greet(last: number): void {
    this.#write(`retry: ${RETRY_MS}\nid: ${this.#epoch}.${last}\nevent: ready\ndata: {}\n\n`)
  }

  send({ n, message, text }: Numbered): void {
    if (!wants(this.#filter, message)) return
    const name = message.shown.attempt === null ? 'delivery' : 'attempt'
    this.#write(`id: ${this.#epoch}.${n}\nevent: ${name}\ndata: ${text}\n\n`)
  }

  /** Says that messages are missing before the next one. */
  gap(last: number): void {
    this.#write(`id: ${this.#epoch}.${last}\nevent: gap\ndata: {}\n\n`)
  }

  /** A comment, which keeps proxies from closing a stream that is silent. */
  beat(): void {
    this.#write(': \n\n')
  }

  /** Ends the stream with its reason. A reader that is too slow to be told is cut off. */
  end(reason: EndReason): void {
    this.#write(`event: end\ndata: {"reason":"${reason}"}\n\n`)
    this.#controller?.close()
    this.#controller = null
  }

  #write(text: string): void {
    const bytes = encoder.encode(text)
    if (this.#controller === null) return
    if ((this.#controller.desiredSize ?? 0) < bytes.length) {
      this.#controller.error(new Error('the reader is too slow'))
      this.#controller = null
      return
    }
    this.#controller.enqueue(bytes)
  }
}
