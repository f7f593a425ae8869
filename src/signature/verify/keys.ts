import type { Claim } from './claim.ts'
import { signatureBytes } from './encoding.ts'
import { type Refusal, refuse } from './result.ts'

const PUBLIC_KEY_PREFIX = 'whpk_'
const PUBLIC_KEY_BYTES = 32
const LONE_SURROGATE = /\p{Surrogate}/u

/** The receiver's keys: at least one of either kind. */
export type Keys = { ok: true; secrets: readonly string[]; publicKeys: readonly Uint8Array[] }

/**
 * Reads the receiver's keys. An empty or broken one refuses all: it is an unset variable or a cut
 * text, and an attacker knows the empty key.
 */
export function readKeys(secret: unknown, publicKey: unknown): Keys | Refusal {
  const secrets = listOf(secret)
  const publicTexts = listOf(publicKey)
  if (secrets.length + publicTexts.length === 0) {
    return refuse('invalid_secret', 'secret must be the secret of the subscription (or give publicKey)')
  }
  for (const each of secrets) {
    // Every lone surrogate becomes the same replacement character, which makes keys guessable.
    if (typeof each !== 'string' || each === '' || LONE_SURROGATE.test(each)) {
      return refuse('invalid_secret', 'each secret must be a text that is not empty')
    }
  }
  const publicKeys: Uint8Array[] = []
  for (const each of publicTexts) {
    const bytes = typeof each === 'string' ? publicKeyBytes(each) : null
    if (bytes === null) {
      return refuse(
        'invalid_public_key',
        `each public key must be "${PUBLIC_KEY_PREFIX}" and the base64 of 32 bytes`,
      )
    }
    publicKeys.push(bytes)
  }
  return { ok: true, secrets: secrets as string[], publicKeys }
}

/** The key that made one of the claim's signatures. */
type Match = { ok: true; matchedSecret: number | null; matchedPublicKey: number | null }

/** Compares every signature with every key, by WebCrypto and so in constant time, until one matches. */
export async function matchSignature(claim: Claim, keys: Keys): Promise<Match | Refusal> {
  const imported: CryptoKey[] = []
  for (const secret of keys.secrets) {
    let bytes: Uint8Array
    try {
      bytes = claim.keyBytes(secret)
    } catch {
      return refuse(
        'invalid_secret',
        'each secret must have valid base64 after "whsec_", where it is a base64 key',
      )
    }
    imported.push(await importHmacKey(bytes, claim.hash))
  }
  for (const [matchedSecret, key] of imported.entries()) {
    for (const signature of claim.hmac) {
      if (await crypto.subtle.verify('HMAC', key, signature, claim.content)) {
        return { ok: true, matchedSecret, matchedPublicKey: null }
      }
    }
  }
  for (const [matchedPublicKey, bytes] of keys.publicKeys.entries()) {
    for (const signature of claim.ed25519) {
      if (await isEd25519(bytes, signature, claim.content)) {
        return { ok: true, matchedSecret: null, matchedPublicKey }
      }
    }
  }
  return refuse('no_matching_signature', noMatchMessage(claim, keys))
}

function noMatchMessage(claim: Claim, { secrets, publicKeys }: Keys): string {
  if (claim.hmac.length === 0 && claim.ed25519.length > 0 && publicKeys.length === 0) {
    return 'the request is signed with v1a only, which needs publicKey'
  }
  if (secrets.length === 0 && claim.ed25519.length === 0) {
    return 'the request has no v1a signature, and no secret was given for the others'
  }
  return 'no signature matches: the secret is another one, or the body is not what was sent, to the byte'
}

function importHmacKey(bytes: Uint8Array, hash: string): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash }, false, ['verify'])
}

async function isEd25519(
  publicKey: Uint8Array,
  signature: Uint8Array,
  content: Uint8Array,
): Promise<boolean> {
  const key = await crypto.subtle.importKey('raw', publicKey, { name: 'Ed25519' }, false, ['verify'])
  return await crypto.subtle.verify({ name: 'Ed25519' }, key, signature, content)
}

function publicKeyBytes(text: string): Uint8Array | null {
  if (!text.startsWith(PUBLIC_KEY_PREFIX)) return null
  const bytes = signatureBytes(text.slice(PUBLIC_KEY_PREFIX.length), 'base64')
  return bytes?.length === PUBLIC_KEY_BYTES ? bytes : null
}

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? value : [value]
}
