import type { MiddlewareHandler } from 'hono'
import { withinMs } from '../../base/concurrency/wait.ts'
import type { AppEnv } from '../context.ts'

/** Bounds of reading a refused body away: a publish and a bit more, from many clients at once. */
const CALLER_MAX = { bytes: 16_000_000, ms: 10_000 }

/** The same for a request without a valid key. */
const STRANGER_MAX = { bytes: 13_000_000, ms: 2_000 }

/**
 * Reads the body of a refused request away before the answer, within bounds: many clients read no answer before they
 * have sent the whole body, and the connection would break under them.
 */
export const drainRefused: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next()
  const { body, headers } = c.req.raw
  if (c.res.status < 400 || body === null || body.locked) return
  const max = c.get('workspaceId') === undefined ? STRANGER_MAX : CALLER_MAX
  // A part of a body helps no client.
  if (Number(headers.get('content-length') ?? 0) > max.bytes) return
  await drain(body as ReadableStream<Uint8Array>, max)
}

async function drain(body: ReadableStream<Uint8Array>, max: { bytes: number; ms: number }): Promise<void> {
  const reader = body.getReader()
  try {
    await withinMs(max.ms, readAway(reader, max.bytes), () => undefined)
    await reader.cancel()
  } catch {
    // The client has left: nobody reads the answer either.
  }
}

async function readAway(reader: ReadableStreamDefaultReader<Uint8Array>, bytesMax: number): Promise<void> {
  for (let bytes = 0; bytes <= bytesMax; ) {
    const { done, value } = await reader.read()
    if (done) return
    bytes += value.byteLength
  }
}
