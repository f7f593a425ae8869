import type { EventOf, ProfileOption } from './envelopes.ts'
import type { HeadersInput } from './headers.ts'
import { refuse, type VerifyResult } from './result.ts'
import { type VerifyOptions, verify } from './verify.ts'

/** A fetch-style `Request`, as far as it is read. */
export type RequestLike = { readonly headers: HeadersInput; arrayBuffer(): Promise<ArrayBuffer> }

/** `text` is the body as it came, also that of a refused request, which a stranger may have sent. */
export type VerifyRequestResult<Event = unknown> = VerifyResult<Event> & { text: string }

/**
 * Checks a fetch-style request. It reads the body, which can be read only once: use `event` or
 * `text` afterwards. Never throws; a body that was read before or breaks off is `invalid_body`. The
 * server must bound the size of bodies.
 */
export async function verifyRequest<Data = unknown, Profile extends ProfileOption = 'standard'>(
  request: RequestLike,
  options: VerifyOptions<Profile>,
): Promise<VerifyRequestResult<EventOf<Profile, Data>>> {
  let body: ArrayBuffer
  let text: string
  try {
    body = await request.arrayBuffer()
    text = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true }).decode(body)
  } catch {
    const message = 'the body could not be read: it must not be read before, and must arrive whole'
    return { ...refuse('invalid_body', message), text: '' }
  }
  const result = await verify<Data, Profile>({ ...options, body, headers: request.headers })
  return { ...result, text }
}
