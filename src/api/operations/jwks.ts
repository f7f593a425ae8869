import { notFound } from '../../model/errors.ts'
import { publicKeysOf } from '../../subscription/secrets/public-keys.ts'
import { findPublicKeyOwner } from '../../subscription/subscriptions.sql.ts'
import type { ApiDeps } from '../context.ts'

/**
 * `GET /jwks/{id}`: the public keys for a subscription's `v1a` signatures
 * as a JSON Web Key Set (RFC 7517). It needs no API key, since receivers
 * have none; an id is 128 random bits and cannot be guessed.
 */
export async function keySet(
  { db, vault, now }: Pick<ApiDeps, 'db' | 'vault' | 'now'>,
  id: string,
): Promise<{ keys: object[] }> {
  const subscription = await findPublicKeyOwner(db, id)
  const keys = subscription === null ? [] : await publicKeysOf(vault, subscription, now())
  if (keys.length === 0) throw notFound('key set')
  return { keys: keys.map(({ jwk }) => ({ ...jwk, use: 'sig', alg: 'EdDSA' })) }
}
