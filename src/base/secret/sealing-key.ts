import { hex } from '../bytes.ts'

const KEY_BYTES = 32
const NONCE_BYTES = 12
const ID_BITS = 32

type Bytes = Uint8Array<ArrayBuffer>

/** Tells a text that can serve as a key-encryption key. */
export function isVaultKey(keyBase64: string): boolean {
  try {
    return fromBase64(keyBase64).length === KEY_BYTES
  } catch {
    return false
  }
}

/** One key-encryption key: AES-256-GCM, and what is derived from it. */
export class SealingKey {
  readonly #raw: Bytes
  readonly #aes: Promise<CryptoKey>
  #id: Promise<string> | null = null

  /** Throws when the text is not the base64 of 32 bytes. */
  constructor(keyBase64: string) {
    const raw = fromBase64(keyBase64)
    if (raw.length !== KEY_BYTES) throw new Error('KEY_ENCRYPTION_KEY must be the base64 of 32 bytes')
    this.#raw = raw
    this.#aes = crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt'])
    // Every use of the key rejects with it; this only keeps it from being reported as unhandled.
    this.#aes.catch(() => undefined)
  }

  /** Names the key in what it seals: eight hex digits that say nothing of the key. */
  id(): Promise<string> {
    this.#id ??= this.#deriveId()
    return this.#id
  }

  /** Encrypts under a fresh nonce; `place` is authenticated with the text. */
  async encrypt(plain: string, place: string): Promise<{ nonce: Bytes; data: ArrayBuffer }> {
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES))
    const algorithm = { name: 'AES-GCM', iv: nonce, additionalData: utf8(place) }
    return { nonce, data: await crypto.subtle.encrypt(algorithm, await this.#aes, utf8(plain)) }
  }

  /** Rejects for another key, place, nonce or text. */
  async decrypt({ nonce, data }: { nonce: Bytes; data: Bytes }, place: string): Promise<string> {
    const algorithm = { name: 'AES-GCM', iv: nonce, additionalData: utf8(place) }
    return new TextDecoder().decode(await crypto.subtle.decrypt(algorithm, await this.#aes, data))
  }

  /** A keyed hash of a text, 32 hex digits. */
  async fingerprint(text: string): Promise<string> {
    const algorithm = { name: 'HMAC', hash: 'SHA-256' }
    const key = await crypto.subtle.deriveKey(
      derivation('posthorn fingerprint'),
      await this.#base('deriveKey'),
      algorithm,
      false,
      ['sign'],
    )
    const digest = await crypto.subtle.sign('HMAC', key, utf8(text))
    return hex(digest.slice(0, 16))
  }

  async #deriveId(): Promise<string> {
    const algorithm = derivation('posthorn key id')
    return hex(await crypto.subtle.deriveBits(algorithm, await this.#base('deriveBits'), ID_BITS))
  }

  #base(usage: 'deriveKey' | 'deriveBits'): Promise<CryptoKey> {
    return crypto.subtle.importKey('raw', this.#raw, 'HKDF', false, [usage])
  }
}

/** Derived, because one key must not serve two algorithms (NIST SP 800-57, 5.2). */
function derivation(label: string) {
  return { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: utf8(label) }
}

function utf8(text: string): Bytes {
  return new TextEncoder().encode(text) as Bytes
}

/** The bytes of a base64 text; throws for one that is none. */
export function fromBase64(text: string): Bytes {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}
