import { Yielder } from '../../base/concurrency/yielder.ts'
import { DamagedGzip, gunzip } from '../../base/gunzip.ts'
import { densityOf } from '../../base/json/density.ts'
import { parseInTurns } from '../../base/json/parse-in-turns.ts'
import { sleep } from '../../base/time.ts'
import { RelayError } from '../../model/errors.ts'
import { type BodyHold, memoryOf, SMALL_BODY_BYTES_MAX } from './body-hold.ts'

/** A request's body: its JSON, and its text, so that parts of it can be passed on as they were sent; `bytes` is its size. */
export type JsonBody = { text: string; value: unknown; bytes: number }

/** Most lists, objects and values in them of one body: an ordinary one of 10 MB has fewer. */
export const VALUES_MAX = 1_200_000

/** Most lists and objects of one body: to parse one takes 0.4 µs. */
export const CONTAINERS_MAX = 500_000
/** A body of more of them is parsed piece by piece. */
const CONTAINERS_AT_ONCE_MAX = 25_000

/** Deepest nesting of a body. What is in it may be bounded further: of `data` 128 levels are taken, of a template 20. */
export const BODY_DEPTH_MAX = 500

/** Reading, weighing and parsing a longer text take some hundred milliseconds together; others have their turn between. */
const CHARS_PER_TURN = 500_000

/** Most bytes of a body, and its room in memory. */
export type BodyTerms = { bytesMax: number; hold: BodyHold }

/**
 * Reads a JSON body once there is room for it, compressed by gzip or not. Refuses other content types and encodings
 * (415), too many bytes or values (413), and what is nested too deep, or broken gzip, UTF-8 or JSON (400).
 */
export async function readJson(request: Request, terms: BodyTerms): Promise<JsonBody> {
  const isCompressed = isGzip(request)
  requireJsonType(request)
  const bytes = await readBytes(request, { ...terms, isCompressed })
  const text = decode(bytes)
  const { length } = bytes
  // The memory is free at once, not when it is collected.
  bytes.buffer.transfer(0)
  await restAfter(text)
  const isDense = (await weigh(text, terms.hold)) > CONTAINERS_AT_ONCE_MAX
  await restAfter(text)
  const value = isDense ? await parseDense(text) : parseJson(text)
  await restAfter(text)
  return { text, value, bytes: length }
}

/** Lets others have their turn after a piece of work with a text that took long. */
export async function restAfter(text: Pick<string, 'length'>): Promise<void> {
  if (text.length > CHARS_PER_TURN) await sleep(0)
}

/** What is not JSON is parsed once more, at once, to find out where it is wrong. */
async function parseDense(text: string): Promise<unknown> {
  try {
    return await new Yielder().work(parseInTurns(text))
  } catch {
    return parseJson(text)
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw invalidBody(`is not valid JSON: ${jsonProblem(error)}`)
  }
}

/** True for a request that carries a body at all. */
export function hasBody(request: Request): boolean {
  return request.body !== null && request.headers.get('content-length') !== '0'
}

/** False for a body that is sent as it is; refuses every other way of encoding one. */
function isGzip({ headers }: Request): boolean {
  const encoding = headers.get('content-encoding')
  switch (encoding?.trim().toLowerCase() ?? 'identity') {
    case 'identity':
      return false
    case 'gzip':
    case 'x-gzip':
      return true
    default:
      throw unsupported('Content-Encoding', `must be gzip or left out, not ${encoding?.slice(0, 80)}`)
  }
}

function requireJsonType({ headers }: Request): void {
  const type = headers.get('content-type')
  if (type !== null && /^\s*application\/(json|[a-z0-9.+-]+\+json)\s*(;|$)/i.test(type)) return
  const message = 'must be application/json when there is a body'
  throw unsupported('Content-Type', message, type === null ? message : `${message}, not ${type.slice(0, 80)}`)
}

function unsupported(header: string, message: string, detail = message): RelayError {
  const details = [{ path: header, message: detail }]
  return new RelayError('unsupported_media_type', `${header}: ${message}`, { details })
}

/**
 * Prices a body before it is parsed, and answers its lists and objects; refuses one that would become far more in memory
 * than it is as text, and one so deep that what walks through it would run out of stack. Each level takes two characters,
 * so that most bodies are not read.
 */
async function weigh(text: string, hold: BodyHold): Promise<number> {
  if (text.length <= 2 * BODY_DEPTH_MAX) return 0
  const density = await new Yielder().work(densityOf(text))
  if (density.depth > BODY_DEPTH_MAX) {
    throw invalidBody(`must be nested at most ${BODY_DEPTH_MAX} levels deep`)
  }
  if (text.length <= SMALL_BODY_BYTES_MAX) return 0
  if (density.values > VALUES_MAX) throw tooMany(VALUES_MAX, 'JSON values')
  if (density.containers > CONTAINERS_MAX) throw tooMany(CONTAINERS_MAX, 'JSON lists and objects')
  hold.resize(memoryOf(text, density))
  return density.containers
}

function tooMany(most: number, things: string): RelayError {
  const message = `must hold at most ${most.toLocaleString('en-US')} ${things}; send them in several requests`
  return new RelayError('payload_too_large', `The body ${message}.`, { details: [{ path: 'body', message }] })
}

type ReadTerms = BodyTerms & { isCompressed: boolean }

async function readBytes(request: Request, terms: ReadTerms): Promise<Uint8Array<ArrayBuffer>> {
  const { bytesMax, hold, isCompressed } = terms
  const { body, headers } = request
  const announced = headers.get('content-length')
  if (Number(announced ?? 0) > bytesMax) throw tooLarge(bytesMax)
  if (body === null) return new Uint8Array()
  if (announced === null || isCompressed) return await readChunks(body as ReadableStream<Uint8Array>, terms)
  await hold.take(Number(announced))
  // The platform bounds a body of announced length, and one read is cheaper than a loop.
  const bytes = new Uint8Array(await request.arrayBuffer().catch(throwUnreadable))
  if (bytes.length > bytesMax) throw tooLarge(bytesMax)
  return bytes
}

/** Reads a body of unknown length, that of a compressed one included: no more of it than there is room for. */
async function readChunks(
  body: ReadableStream<Uint8Array>,
  { bytesMax, hold, isCompressed }: ReadTerms,
): Promise<Uint8Array<ArrayBuffer>> {
  const sent = chunksOf(body)
  const chunks: Uint8Array[] = []
  let length = 0
  await hold.takeUnknown(0, bytesMax)
  for await (const chunk of isCompressed ? decompressed(sent) : sent) {
    length += chunk.length
    if (length > bytesMax) throw tooLarge(bytesMax)
    await hold.takeUnknown(length, bytesMax)
    // A read's own buffer may be far larger than what it holds.
    chunks.push(isCompressed ? chunk.slice() : chunk)
  }
  return join(chunks, length)
}

async function* decompressed(sent: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* gunzip(sent)
  } catch (error) {
    throw error instanceof DamagedGzip ? invalidBody('is no gzip, or not the whole of it') : error
  }
}

/** Leaves what is not read to others: the body of a refused request is read away. */
async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(throwUnreadable)
      if (done) return
      yield value
    }
  } finally {
    reader.releaseLock()
  }
}

function throwUnreadable(): never {
  throw invalidBody('could not be read to its end')
}

function join(chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
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
