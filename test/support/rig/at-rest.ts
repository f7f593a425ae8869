import { env } from 'cloudflare:workers'

/** Everything that is stored, `flat`: every row of every table of D1, as JSON, and every object of R2. */
export async function textsAtRest(): Promise<string> {
  const tables = await env.DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'",
  ).all<{ name: string }>()
  const rows = await Promise.all(
    tables.results.map(({ name }) => env.DB.prepare(`SELECT * FROM "${name}"`).all()),
  )
  const { objects } = await env.BODIES.list({ include: ['customMetadata', 'httpMetadata'] })
  const bodies = await Promise.all(objects.map(async ({ key }) => await (await env.BODIES.get(key))?.text()))
  return flat(
    [JSON.stringify(rows.map(({ results }) => results)), JSON.stringify(objects), ...bodies].join('\n'),
  )
}

/** A text without backslashes, of which there are the more the deeper a text is nested in JSON. */
export function flat(text: string): string {
  return text.replaceAll('\\', '')
}

/** The forms in which a secret could be found in a flat text: as it is, and its bytes, also of the escaped text. */
export function formsOf(secret: string): string[] {
  const [, key = secret] = /^wh[a-z]{2,3}_(.*)/.exec(secret) ?? []
  const escaped = JSON.stringify(secret).slice(1, -1)
  const bytes = [secret, escaped].map((text) => new TextEncoder().encode(text))
  if (key !== secret) bytes.push(base64Bytes(key))
  return [...new Set([flat(secret), key, encodeURIComponent(secret), ...bytes.flatMap(byteForms)])]
}

function byteForms(bytes: Uint8Array): string[] {
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return [hex, hex.toUpperCase(), bytes.join(), ...[0, 1, 2].flatMap((shift) => base64Forms(bytes, shift))]
}

/** What every base64 of a text has in it that holds the bytes, so many places after a group of three. */
function base64Forms(bytes: Uint8Array, shift: number): string[] {
  const base64 = btoa(String.fromCharCode(...new Uint8Array(shift), ...bytes))
  const inner = base64.slice(shift === 0 ? 0 : 4, -4)
  return [inner, inner.replaceAll('+', '-').replaceAll('/', '_')]
}

function base64Bytes(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}
