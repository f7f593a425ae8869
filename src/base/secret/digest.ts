import { base64 } from '../bytes.ts'
/** The SHA-256 of a text, as base64. */
export async function sha256(text: string): Promise<string> {
  return base64(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
}
