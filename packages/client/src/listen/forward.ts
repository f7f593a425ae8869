import { base64Of, type ListenerMessage, type ReceivedRequest } from './messages.ts'

/** Where deliveries go: an address of this machine, or a function that answers in its place. */
export type Forward = string | ((request: Request) => Response | Promise<Response>)

/** Bytes of an answer that the relay reads. */
const ANSWER_BYTES_MAX = 65_536
const HEADERS_MAX = 100
/** What the connection to the local receiver needs, or what was true of the body before it was decoded. */
const OF_CONNECTION = ['connection', 'content-length', 'host', 'keep-alive', 'transfer-encoding', 'upgrade']
const OF_CODING = ['content-encoding', ...OF_CONNECTION]
/** What the relay takes for a header's value. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]{0,8192}$/

/** Asks the local receiver; answers with what it has said, or why it has said nothing. Never rejects. */
export async function answerBy(
  forward: Forward,
  { id, method, headers, body }: ReceivedRequest,
  signal: AbortSignal,
): Promise<Exclude<ListenerMessage, { type: 'received' }>> {
  try {
    const sent = Object.entries(headers).filter(([name]) => !OF_CONNECTION.includes(name.toLowerCase()))
    const init = { method, headers: sent, body, redirect: 'manual', signal } as const
    const response =
      typeof forward === 'string'
        ? await fetch(forward, init)
        : await forward(new Request('http://localhost/', init))
    const { status } = response
    const bytes = await readStart(response)
    return { type: 'answer', id, status, headers: headersOf(response), body: base64Of(bytes) }
  } catch (error) {
    return { type: 'failed', id, message: reasonOf(error).slice(0, 300) }
  }
}

function headersOf({ headers }: Response): [string, string][] {
  const shown = [...headers].filter(
    ([name, value]) => !OF_CODING.includes(name.toLowerCase()) && HEADER_VALUE.test(value),
  )
  return shown.slice(0, HEADERS_MAX)
}

/** Reads as much of an answer as is looked at, and lets go of the rest. */
async function readStart({ body }: Response): Promise<Uint8Array> {
  const bytes = new Uint8Array(ANSWER_BYTES_MAX)
  let length = 0
  const reader = body?.getReader()
  while (reader !== undefined && length < ANSWER_BYTES_MAX) {
    const { done, value } = await reader.read()
    if (done) return bytes.subarray(0, length)
    const part = (value as Uint8Array).subarray(0, ANSWER_BYTES_MAX - length)
    bytes.set(part, length)
    length += part.length
  }
  await reader?.cancel()
  return bytes.subarray(0, length)
}

/** Node names the cause of a failed fetch in the cause of the error only. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined
  return typeof code === 'string' ? code : error.message
}
