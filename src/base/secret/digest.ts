import { base64 } from '../bytes.ts'
/** The SHA-256 of a text, as base64. */
export async function sha256(text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>
  const digest = await crypto.subtle.digest('SHA-256', bytes)
  // A long text's memory is free at once, not when it is collected.
  bytes.buffer.transfer(0)
  return base64(digest)
}

/** Compares hashes in a time that does not depend on where they differ. */
export function isSameHash(one: string, other: string): boolean {
  let difference = one.length ^ other.length
  for (let i = 0; i < one.length; i++) difference |= one.charCodeAt(i) ^ other.charCodeAt(i)
  return difference === 0
}
