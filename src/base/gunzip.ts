import { sleep } from './time.ts'

/** Bytes that are decompressed at once: what comes of them, a thousand times as much at most, is held in memory. */
const SLICE_BYTES = 1_024
const READ_BYTES = 65_536

/**
 * Decompresses gzip as it comes, and takes no more of it before what came of the last slice has been read: the
 * platform's own stream would fill the memory. Rejects with `DamagedGzip` for what is none, or not whole.
 */
export async function* gunzip(compressed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { readable, writable } = new DecompressionStream('gzip')
  const [input, output] = [writable.getWriter(), new Output(readable)]
  try {
    for await (const bytes of compressed) {
      for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
        await orDamaged(input.write(bytes.subarray(at, at + SLICE_BYTES)))
        yield* output.whatIsThere()
      }
    }
    await orDamaged(input.close())
    yield* output.rest()
  } finally {
    await output.cancel()
  }
}

/** Bytes that are no gzip, or end too early, or go on after its end. */
export class DamagedGzip extends Error {}

class Output {
  readonly #reader: ReadableStreamBYOBReader
  /** A read that has found nothing yet. */
  #pending: Promise<ReadableStreamReadResult<Uint8Array>> | null = null

  constructor(readable: ReadableStream) {
    this.#reader = readable.getReader({ mode: 'byob' })
  }

  /** What has come of the slices so far. A slice may bring nothing: a turn of the event loop tells. */
  async *whatIsThere(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const read = await Promise.race([this.#read(), sleep(0)])
      if (read === undefined) return
      this.#pending = null
      if (read.done) return
      yield read.value
      // A read that is not filled has taken all.
      if (read.value.length < READ_BYTES) return
    }
  }

  async *rest(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const read = await this.#read()
      this.#pending = null
      if (read.done) return
      yield read.value
    }
  }

  async cancel(): Promise<void> {
    this.#pending?.catch(() => undefined)
    await this.#reader.cancel().catch(() => undefined)
  }

  #read(): Promise<ReadableStreamReadResult<Uint8Array>> {
    this.#pending ??= orDamaged(this.#reader.read(new Uint8Array(READ_BYTES)))
    return this.#pending
  }
}

async function orDamaged<T>(step: Promise<T>): Promise<T> {
  try {
    return await step
  } catch (error) {
    throw new DamagedGzip('the bytes are no whole gzip', { cause: error })
  }
}
