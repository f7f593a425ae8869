import { importJWK, importPKCS8, SignJWT } from 'jose'
import type { Problem } from '../model/errors.ts'
import { type DestinationAuth, JWT_SECONDS_DEFAULT, type JwtAuth } from './auth.ts'

const KEYS: Record<JwtAuth['algorithm'], string> = {
  HS256: 'must be a secret of at least 8 characters',
  RS256: keyMessage('an RSA private key of at least 2,048 bits'),
  ES256: keyMessage('a private key on the curve P-256'),
  EdDSA: keyMessage('an Ed25519 private key'),
}

/**
 * Signs a JWT that is valid from `nowMs` on (RFC 7519);
 * rejects when the key does not fit the algorithm.
 */
export async function signJwt(auth: JwtAuth, nowMs: number): Promise<string> {
  const nowSeconds = Math.floor(nowMs / 1000)
  const { algorithm, keyId, issuer, subject, audience } = auth
  const jwt = new SignJWT({ ...auth.claims })
    .setProtectedHeader({ alg: algorithm, typ: 'JWT', ...(keyId !== undefined && { kid: keyId }) })
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + (auth.expiresInSeconds ?? JWT_SECONDS_DEFAULT))
  if (issuer !== undefined) jwt.setIssuer(issuer)
  if (subject !== undefined) jwt.setSubject(subject)
  if (audience !== undefined) jwt.setAudience(audience)
  return await jwt.sign(await importKey(auth))
}

/**
 * Finds a key that does not sign, which only cryptography can tell,
 * before it is saved. The messages repeat nothing of the key.
 */
export async function checkAuth(auth: DestinationAuth): Promise<Problem[]> {
  if (auth.type !== 'jwt') return []
  try {
    await signJwt(auth, 0)
    return []
  } catch {
    return [{ path: 'auth.key', message: KEYS[auth.algorithm] }]
  }
}

async function importKey({ algorithm, key }: JwtAuth): Promise<CryptoKey | Uint8Array> {
  if (algorithm === 'HS256') return new TextEncoder().encode(key)
  const trimmed = key.trim()
  return trimmed.startsWith('{')
    ? await importJWK(JSON.parse(trimmed), algorithm)
    : await importPKCS8(trimmed, algorithm)
}

function keyMessage(what: string): string {
  return `must be ${what}, as PKCS#8 PEM ("-----BEGIN PRIVATE KEY-----") or as JWK in JSON`
}
