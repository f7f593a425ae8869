/** HMAC-SHA256 of a text under a text, in hexadecimal: what the seeds' receivers compute. */
export async function hmacHex(secret: string, body: string): Promise<string> {
  const utf8 = new TextEncoder()
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('raw', utf8.encode(secret), algorithm, false, ['sign'])
  const bytes = new Uint8Array(await crypto.subtle.sign('HMAC', key, utf8.encode(body)))
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
