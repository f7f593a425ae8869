import { sha256 } from '../base/secret/digest.ts'

/** A workspace key in its parts: the id finds it, the secret proves it. */
export type ApiKeyParts = { id: string; secret: string }

type RandomBytes = (length: number) => Uint8Array

const PREFIX = 'phk_'
const ID_CHARS = 12
const SECRET_CHARS = 32
const CHECK_CHARS = 6
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const FORM = new RegExp(
  `^(${PREFIX}([0-9A-Za-z]{${ID_CHARS}})_([0-9A-Za-z]{${SECRET_CHARS}}))([0-9A-Za-z]{${CHECK_CHARS}})$`,
)
/** Bytes from here on are left out, or the first letters of the alphabet would come more often. */
const FAIR_BYTES = 256 - (256 % ALPHABET.length)

/** Makes a new key; with an id, the next one of the key that has it. */
export function makeApiKey({
  id,
  randomBytes = cryptoBytes,
}: {
  id?: string
  randomBytes?: RandomBytes
} = {}): ApiKeyParts & { text: string } {
  const parts = {
    id: id ?? randomText(ID_CHARS, randomBytes),
    secret: randomText(SECRET_CHARS, randomBytes),
  }
  const body = `${PREFIX}${parts.id}_${parts.secret}`
  return { ...parts, text: body + checkOf(body) }
}

/** Reads a key; null for a text that is none, or whose check says that it was written down wrongly. */
export function parseApiKey(text: string): ApiKeyParts | null {
  const [, body, id, secret, check] = FORM.exec(text) ?? []
  if (body === undefined || id === undefined || secret === undefined) return null
  return check === checkOf(body) ? { id, secret } : null
}

/** True for a text of the family of keys, right or wrong. */
export function looksLikeApiKey(text: string): boolean {
  return text.startsWith(PREFIX)
}

/** The stored form of a secret. It is long and random, so that a hash without salt or work gives nothing away. */
export async function hashSecret(secret: string): Promise<string> {
  return await sha256(secret)
}

function randomText(chars: number, randomBytes: RandomBytes): string {
  let text = ''
  while (text.length < chars) {
    const fair = [...randomBytes(chars)].filter((byte) => byte < FAIR_BYTES)
    text += fair.map((byte) => ALPHABET.charAt(byte % ALPHABET.length)).join('')
  }
  return text.slice(0, chars)
}

function cryptoBytes(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length))
}

function checkOf(body: string): string {
  let rest = crc32(body)
  let text = ''
  for (let i = 0; i < CHECK_CHARS; i++) {
    text = ALPHABET.charAt(rest % ALPHABET.length) + text
    rest = Math.floor(rest / ALPHABET.length)
  }
  return text
}

/** CRC-32 as in zip and PNG, of ASCII. A key is so short that a table would not pay. */
function crc32(text: string): number {
  let crc = 0xffffffff
  for (let i = 0; i < text.length; i++) {
    crc ^= text.charCodeAt(i)
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return (crc ^ 0xffffffff) >>> 0
}
