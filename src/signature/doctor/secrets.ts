import { base64Bytes } from '../../base/bytes.ts'
import { rawKeyBytes } from '../secret.ts'
import type { Cause } from './causes.ts'

/** A key that may be the one that has signed, and what stands between it and the secret that was given. */
export type KeyTrial = { cause: Cause; key: Uint8Array }

type KeyReading = (secret: string) => Uint8Array

const PREFIX = 'whsec_'

/** Keys that a secret may stand for beside the one that the scheme reads from it, each once. */
export function keysBehind(secret: string, keyBytes: KeyReading): KeyTrial[] {
  const own = read(keyBytes, secret)
  const seen = new Set(own === null ? [] : [own.join()])
  return [...readings(secret, keyBytes)].filter(({ key }) => {
    const isNew = key.length > 0 && !seen.has(key.join())
    seen.add(key.join())
    return isNew
  })
}

/** What the secret itself tells, where nothing that was tried has matched; null for nothing. */
export function suspectSecret(secret: string, keyBytes: KeyReading): Cause | null {
  return read(keyBytes, secret) === null ? 'secret_invalid' : null
}

function* readings(secret: string, keyBytes: KeyReading): Generator<KeyTrial> {
  const trimmed = secret.trim()
  const bare = trimmed.replace(/^(["'`])(.*)\1$/s, '$2').trim()
  yield* keyOf(trimmed, keyBytes, 'secret_blank')
  yield* keyOf(bare, keyBytes, 'secret_quoted')
  yield* keyOf(bare.replaceAll(' ', '+'), keyBytes, 'secret_blank')
  if (!bare.startsWith(PREFIX)) yield* keyOf(PREFIX + bare, keyBytes, 'secret_prefix')
  yield { cause: 'secret_not_decoded', key: rawKeyBytes(bare) }
  const unprefixed = bare.replace(PREFIX, '')
  yield { cause: 'secret_not_decoded', key: rawKeyBytes(unprefixed) }
  const decoded = base64Bytes(unprefixed.replaceAll('-', '+').replaceAll('_', '/'))
  if (decoded !== null) yield { cause: 'secret_decoded', key: decoded }
  if (/^(?:[0-9a-f]{2})+$/i.test(unprefixed)) yield { cause: 'secret_decoded', key: hexBytes(unprefixed) }
}

function* keyOf(secret: string, keyBytes: KeyReading, cause: Cause): Generator<KeyTrial> {
  const key = read(keyBytes, secret)
  if (key !== null) yield { cause, key }
}

function read(keyBytes: KeyReading, secret: string): Uint8Array | null {
  try {
    return keyBytes(secret)
  } catch {
    return null
  }
}

function hexBytes(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, at) =>
    Number.parseInt(text.slice(at * 2, at * 2 + 2), 16),
  )
}
