/** A hash an HMAC may be made with, as subscriptions' settings call it. */
export type HashName = 'sha256' | 'sha1' | 'sha512'

const WEBCRYPTO_NAME: Readonly<Record<HashName, string>> = {
  sha256: 'SHA-256',
  sha1: 'SHA-1',
  sha512: 'SHA-512',
}

/** Imports an HMAC key for signing; it cannot be exported again. */
export function importHmacKey(key: Uint8Array, hash: HashName = 'sha256'): Promise<CryptoKey> {
  const algorithm = { name: 'HMAC', hash: WEBCRYPTO_NAME[hash] }
  return crypto.subtle.importKey('raw', key, algorithm, false, ['sign'])
}

/** The HMAC of the content under a key of `importHmacKey`. */
export function hmac(key: CryptoKey, content: Uint8Array): Promise<ArrayBuffer> {
  return crypto.subtle.sign('HMAC', key, content)
}
