import { notFound } from '../../model/errors.ts'
import type { Relay } from '../../relay.ts'
import { publicKeysOf } from '../../subscription/public-keys.ts'
import { findPublicKeyOwner } from '../../subscription/subscriptions.sql.ts'

/**
 * `GET /jwks/{id}`: the public keys for a subscription's `v1a` signatures as a JSON Web Key Set (RFC 7517), without an
 * API key: receivers have none. An id is 128 random bits, so nobody finds one by trying.
 */
export async function keySet(relay: Relay, id: string): Promise<{ keys: object[] }> {
  const subscription = await findPublicKeyOwner(relay.env.DB, id)
  const keys = subscription === null ? [] : await publicKeysOf(relay.vault, subscription, relay.now())
  if (keys.length === 0) throw notFound('key set')
  return { keys: keys.map(({ jwk }) => ({ ...jwk, use: 'sig', alg: 'EdDSA' })) }
}
