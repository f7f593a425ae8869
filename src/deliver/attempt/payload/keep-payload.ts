import type { PayloadKind } from '../../../model/delivery.ts'
import { INLINE_BODY_CHARS_MAX } from '../../../model/event.ts'
import { putBody } from '../../../store/bodies.ts'
import type { KeptBody } from '../claimed-delivery.ts'
import type { AttemptDeps } from '../send.ts'
import type { Payload } from './payload-renderer.ts'

/** The kind of payload that retries send, and its bytes where they have to be stored. */
export type Keeping = { payload: PayloadKind; kept: KeptBody | null }

/** Keeps the payload of a failed first attempt, so that every retry sends the same bytes. */
export async function keepPayload(
  { bodies, newKey }: Pick<AttemptDeps, 'bodies' | 'newKey'>,
  payload: Payload | null,
): Promise<Keeping> {
  if (payload === null) return { payload: 'none', kept: null }
  const { kind, contentType, text } = payload
  if (text === null) return { payload: kind, kept: null }
  if (text.length <= INLINE_BODY_CHARS_MAX) {
    return { payload: 'kept', kept: { contentType, body: text, bodyKey: null } }
  }
  const bodyKey = newKey()
  try {
    await putBody(bodies, bodyKey, text)
  } catch {
    // Rendered again, an event gives the same bytes as long as the settings stay: better than losing the outcome.
    return { payload: 'none', kept: null }
  }
  return { payload: 'kept', kept: { contentType, body: null, bodyKey } }
}
