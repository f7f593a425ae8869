import { RelayError } from '../model/errors.ts'

/** A request's body: its JSON, and its text, so that parts of it can be passed on as they were sent. */
export type JsonBody = { text: string; value: unknown }

/**
 * Reads a JSON body. Refuses other content types (415),
 * too many bytes (413), and broken UTF-8 or JSON (400).
 */
export async function readJson(request: Request, bytesMax: number): Promise<JsonBody> {
  requireJsonType(request)
  const bytes = await readBytes(request, bytesMax).catch((error: unknown) => {
    throw error instanceof RelayError ? error : invalidBody('could not be read to its end')
  })
  const text = decode(bytes)
  try {
    return { text, value: JSON.parse(text) as unknown }
  } catch (error) {
    throw invalidBody(`is not valid JSON: ${jsonProblem(error)}`)
  }
}

/** True for a request that carries a body at all. */
export function hasBody(request: Request): boolean {
  return request.body !== null && request.headers.get('content-length') !== '0'
}

function requireJsonType(request: Request): void {
  const type = request.headers.get('content-type')
  if (type !== null && /^\s*application\/(json|[a-z0-9.+-]+\+json)\s*(;|$)/i.test(type)) return
  const message = 'must be application/json when there is a body'
  throw new RelayError('unsupported_media_type', `Content-Type: ${message}`, {
    details: [
      { path: 'Content-Type', message: type === null ? message : `${message}, not ${type.slice(0, 80)}` },
    ],
  })
}

async function readBytes(request: Request, bytesMax: number): Promise<Uint8Array> {
  if (Number(request.headers.get('content-length') ?? 0) > bytesMax) throw tooLarge(bytesMax)
  if (request.body === null) return new Uint8Array()
  // The platform bounds a body of announced length, and one read is cheaper than a loop.
  if (request.headers.has('content-length')) {
    const bytes = new Uint8Array(await request.arrayBuffer())
    if (bytes.length > bytesMax) throw tooLarge(bytesMax)
    return bytes
  }
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of request.body as ReadableStream<Uint8Array>) {
    length += chunk.length
    if (length > bytesMax) throw tooLarge(bytesMax)
    chunks.push(chunk)
  }
  return join(chunks, length)
}

function join(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes)
  } catch {
    throw invalidBody('is not valid UTF-8')
  }
}

function tooLarge(bytesMax: number): RelayError {
  const message = `must be at most ${bytesMax.toLocaleString('en-US')} bytes`
  return new RelayError('payload_too_large', `The body ${message}.`, { details: [{ path: 'body', message }] })
}

function invalidBody(message: string): RelayError {
  return new RelayError('invalid_request', `The body ${message}`, { details: [{ path: 'body', message }] })
}

/** V8's message says where; what it quotes of the body stays out of the answer. */
function jsonProblem(error: unknown): string {
  const text = error instanceof Error ? error.message : ''
  const at = /at position (\d+)/.exec(text)
  if (at !== null) return `something is wrong at character ${at[1]}`
  return /end of JSON/i.test(text) ? 'it ends too early' : 'it cannot be parsed'
}
