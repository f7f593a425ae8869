import { INLINE_BODY_CHARS_MAX } from '../model/event.ts'
import { putBody } from '../store/bodies.ts'

export type BodyDeps = {
  bodies: R2Bucket
  /** A key that no other object has. */
  newKey: () => string
}

/** The place of an event's text: in its row, or in R2 under a key. */
type PlacedBody = { body: string | null; bodyKey: string | null }

/** Tells a text that is too long for its event's row. */
export function isLargeBody(text: string | null): boolean {
  return text !== null && text.length > INLINE_BODY_CHARS_MAX
}

/** Puts a text that is too long for its event's row into R2, before the row that names it. */
export async function placeBody({ bodies, newKey }: BodyDeps, text: string): Promise<PlacedBody> {
  if (!isLargeBody(text)) return { body: text, bodyKey: null }
  const bodyKey = newKey()
  await putBody(bodies, bodyKey, text)
  return { body: null, bodyKey }
}
