/**
 * What a relay sends: a request whose body goes on in further messages until the last one, its end without answer, and
 * why it is about to close the socket.
 */
export type RelayMessage =
  | {
      type: 'request'
      id: string
      method: string
      headers: Record<string, string>
      timeoutMs: number
      /** Base64. */
      body: string
      isLast: boolean
    }
  | { type: 'body'; id: string; body: string; isLast: boolean }
  | { type: 'cancel'; id: string }
  | { type: 'closing'; code: number; reason: string }

/** What a listener sends: that it has a whole request, and its receiver's answer or why there is none. */
export type ListenerMessage =
  | { type: 'received'; id: string }
  | { type: 'answer'; id: string; status: number; headers: [string, string][]; body: string }
  | { type: 'failed'; id: string; message: string }

/** A delivery as it has come. */
export type ReceivedRequest = {
  id: string
  method: string
  headers: Record<string, string>
  body: Uint8Array<ArrayBuffer>
  timeoutMs: number
}

/** Puts requests together whose bodies come in parts. */
export class RequestParts {
  readonly #begun = new Map<string, { head: Omit<ReceivedRequest, 'body'>; parts: Uint8Array[] }>()

  /** Takes a message; answers the request that it completes. */
  add(message: Extract<RelayMessage, { type: 'request' | 'body' }>): ReceivedRequest | null {
    const { id } = message
    if (message.type === 'request') {
      const { method, headers, timeoutMs } = message
      this.#begun.set(id, { head: { id, method, headers, timeoutMs }, parts: [] })
    }
    const begun = this.#begun.get(id)
    if (begun === undefined) return null
    begun.parts.push(bytesOf(message.body))
    if (!message.isLast) return null
    this.#begun.delete(id)
    return { ...begun.head, body: join(begun.parts) }
  }

  /** Forgets a request that is not wanted any more. */
  drop(id: string): void {
    this.#begun.delete(id)
  }

  /** Forgets all: the rest of what has begun came to a socket that is closed. */
  clear(): void {
    this.#begun.clear()
  }
}

/** The bytes of base64. */
function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
}

/** The most arguments of one call: a hundred thousand and more overflow the stack. */
const BYTES_PER_CALL = 8_192

/** Bytes as base64. */
export function base64Of(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += BYTES_PER_CALL)
    text += String.fromCharCode(...bytes.subarray(at, at + BYTES_PER_CALL))
  return btoa(text)
}

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}
