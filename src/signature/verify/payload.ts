/** The parsed payload; `undefined` when the bytes are no JSON in UTF-8. */
export function parsePayload(body: Uint8Array): unknown {
  try {
    // fatal: a byte that is not UTF-8 must not turn into a character that the sender did not sign.
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(body))
  } catch {
    return undefined
  }
}

/** The first of the named members that is a text, of a payload that is an object. */
export function textMember(payload: unknown, names: readonly string[]): string | null {
  if (typeof payload !== 'object' || payload === null) return null
  for (const name of names) {
    const value: unknown = Object.hasOwn(payload, name) ? (payload as Record<string, unknown>)[name] : null
    if (typeof value === 'string' && value !== '') return value
  }
  return null
}

/** The id of a payload: `batchId` of a batch, `id` of any other. */
export function payloadId(payload: unknown): string | null {
  return textMember(payload, isBatch(payload) ? ['batchId'] : ['id'])
}

/** The events of a payload: itself, or the members of a batch, which for CloudEvents is a list. */
export function payloadEvents(payload: unknown): readonly unknown[] {
  if (payload === undefined) return []
  if (Array.isArray(payload)) return payload
  return isBatch(payload) && 'events' in payload && Array.isArray(payload.events) ? payload.events : [payload]
}

/** True for a payload that says it holds several events. */
export function isBatch(payload: unknown): payload is { batch: true } {
  return typeof payload === 'object' && payload !== null && 'batch' in payload && payload.batch === true
}

/**
 * Copies the body's bytes, so that they cannot change between the check and the parsing; `null` for
 * anything but text, bytes or a buffer.
 */
export function bodyBytes(body: unknown): Uint8Array | null {
  try {
    if (typeof body === 'string') return new TextEncoder().encode(body)
    if (ArrayBuffer.isView(body)) {
      return new Uint8Array(body.buffer, body.byteOffset, body.byteLength).slice()
    }
    // By name, because a buffer of another realm is no instance of this one's class.
    if (Object.prototype.toString.call(body) === '[object ArrayBuffer]') {
      return new Uint8Array(body as ArrayBuffer).slice()
    }
  } catch {
    // A buffer that was transferred elsewhere has no bytes to read.
  }
  return null
}
