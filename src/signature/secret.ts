import { base64, base64Bytes } from '../base/bytes.ts'
import { findMistake, findWeakness } from './secret-mistakes.ts'

/** Marks a secret whose key is the base64 after it (Standard Webhooks, "Signature scheme"). */
const SECRET_PREFIX = 'whsec_'
/** Shortest and longest secret, in UTF-16 code units, prefix included. */
const SECRET_LENGTH_MIN = 8
const SECRET_LENGTH_MAX = 256
/** Bytes of a generated secret's key: the length of a SHA-256 digest, more adds nothing to HMAC-SHA256. */
export const SECRET_KEY_BYTES = 32

/** Bytes of a key in base64: fewer are surely a mistake, and others than Standard Webhooks asks for are warned of. */
const KEY_BYTES_MIN = 8
const KEY_BYTES_USUAL = { min: 24, max: 64 }

/** The reason why a secret is refused. */
type SecretReason =
  | 'too_short'
  | 'too_long'
  | 'broken_text'
  | 'empty_key'
  | 'short_key'
  | 'invalid_base64'
  | 'mistake'

/** `message` says what would be right and never repeats the secret. */
type SecretCheck = { ok: true } | { ok: false; reason: SecretReason; message: string }

const LONE_SURROGATE = /\p{Surrogate}/u

const encoder = new TextEncoder()

/**
 * A new secret, `whsec_` + base64.
 *
 * @param randomBytes exactly 32 bytes from a cryptographic source
 * @throws RangeError for any other length, which is a mistake of the caller
 */
export function generateSecret(randomBytes: Uint8Array): string {
  if (randomBytes.length !== SECRET_KEY_BYTES) {
    throw new RangeError(`a secret is made of ${SECRET_KEY_BYTES} random bytes`)
  }
  return SECRET_PREFIX + base64(randomBytes)
}

/** The reading of a secret as a key: its own UTF-8, or the bytes that it is the base64 of. */
export type KeyForm = 'text' | 'base64'

/**
 * Checks a text as a signing secret: 8-256 characters, and real base64 after `whsec_` (padding
 * optional).
 *
 * @param keyForm `base64` asks for base64 without the prefix as well
 */
export function checkSecret(secret: string, keyForm: KeyForm = 'text'): SecretCheck {
  const mistake = findMistake(secret)
  if (mistake !== null) return refuse('mistake', mistake)
  if (secret.startsWith(SECRET_PREFIX)) {
    const base64 = secret.slice(SECRET_PREFIX.length)
    if (base64.replaceAll('=', '') === '') {
      return refuse(
        'empty_key',
        `must have base64 after "${SECRET_PREFIX}"; leave it out to have one generated`,
      )
    }
    if (base64Bytes(base64) === null) {
      return refuse(
        'invalid_base64',
        `must be valid base64 (A-Z a-z 0-9 + /) after "${SECRET_PREFIX}", or a text without that prefix`,
      )
    }
  } else if (keyForm === 'base64' && base64Bytes(secret) === null) {
    return refuse('invalid_base64', 'must be valid base64 (A-Z a-z 0-9 + /), as its key is given as base64')
  }
  if (secret.length < SECRET_LENGTH_MIN) {
    return refuse('too_short', `must be at least ${SECRET_LENGTH_MIN} characters`)
  }
  if (secret.length > SECRET_LENGTH_MAX) {
    return refuse('too_long', `must be at most ${SECRET_LENGTH_MAX} characters`)
  }
  const keyBytes = base64KeyLength(secret, keyForm)
  if (keyBytes !== null && keyBytes < KEY_BYTES_MIN) {
    return refuse('short_key', `must hold a key of at least ${KEY_BYTES_USUAL.min} bytes, not ${keyBytes}`)
  }
  // UTF-8 has no form for half a character, so no receiver could arrive at the same key.
  if (LONE_SURROGATE.test(secret)) return refuse('broken_text', 'must be well-formed Unicode text')
  return { ok: true }
}

/** Warns of a secret that is taken all the same: one that can be guessed, or that some receivers do not read. */
export function secretWarning(secret: string, keyForm: KeyForm = 'text'): string | null {
  const keyBytes = base64KeyLength(secret, keyForm)
  const { min, max } = KEY_BYTES_USUAL
  if (keyBytes !== null && (keyBytes < min || keyBytes > max)) {
    return `holds a key of ${keyBytes} bytes; Standard Webhooks asks for ${min}-${max}`
  }
  const weakness = keyBytes === null ? findWeakness(secret) : null
  return weakness === null ? null : `can be guessed: ${weakness}; leave it out to have one generated`
}

/** Bytes of the key that a secret is the base64 of; null where its text is the key. */
function base64KeyLength(secret: string, keyForm: KeyForm): number | null {
  if (!secret.startsWith(SECRET_PREFIX) && keyForm === 'text') return null
  return base64Bytes(secret.replace(SECRET_PREFIX, ''))?.length ?? null
}

/**
 * The HMAC key of Standard Webhooks: the bytes after `whsec_`, base64-decoded, or the text's UTF-8
 * without the prefix.
 *
 * @throws RangeError for a secret that `checkSecret` refuses for its base64
 */
export function standardKeyBytes(secret: string): Uint8Array {
  return secret.startsWith(SECRET_PREFIX) ? base64KeyBytes(secret) : encoder.encode(secret)
}

/**
 * The HMAC key that a text is the base64 of, with or without `whsec_` before it.
 *
 * @throws RangeError for a secret that `checkSecret` refuses for its base64
 */
export function base64KeyBytes(secret: string): Uint8Array {
  const key = base64Bytes(secret.startsWith(SECRET_PREFIX) ? secret.slice(SECRET_PREFIX.length) : secret)
  if (key === null || key.length === 0) throw new RangeError('the secret is not the base64 of a key')
  return key
}

/** The HMAC key of the schemes other than Standard Webhooks: the whole text's UTF-8, `whsec_` included. */
export function rawKeyBytes(secret: string): Uint8Array {
  return encoder.encode(secret)
}

function refuse(reason: SecretReason, message: string): SecretCheck {
  return { ok: false, reason, message }
}
