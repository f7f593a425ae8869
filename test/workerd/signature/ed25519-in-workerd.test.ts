import { expect, test } from 'vitest'
import { generateEd25519, importV1aKey, publicJwk, signV1a } from '../../../src/signature/ed25519.ts'
import { importSigner, signDelivery } from '../../../src/signature/schemes.ts'
import vectors from '../../vectors/standard-webhooks-ed25519.json' with { type: 'json' }

const utf8 = (text: string) => new TextEncoder().encode(text)

test.each(vectors)('workerd gives the published v1a signature: $source', async (vector) => {
  const key = await importV1aKey(vector.secretKey)
  expect(await signV1a(key, { ...vector, body: utf8(vector.body) })).toBe(vector.signature)
})

test('a key pair made in workerd signs what its own WebCrypto verifies under the JWK', async () => {
  const { secretKey, publicKey } = await generateEd25519()
  const message = { id: 'evt_1', timestampSeconds: 17, body: utf8('{"a":1}') }
  const signature = await signV1a(await importV1aKey(secretKey), message)
  const jwk = await publicJwk(publicKey)
  const verifier = await crypto.subtle.importKey('jwk', jwk, { name: 'Ed25519' }, false, ['verify'])
  const bytes = Uint8Array.from(atob(signature.replace('v1a,', '')), (character) => character.charCodeAt(0))
  const isGood = (content: string) => crypto.subtle.verify('Ed25519', verifier, bytes, utf8(content))
  expect([await isGood('evt_1.17.{"a":1}'), await isGood('evt_1.17.{"a":2}')]).toEqual([true, false])
})

test('workerd has every hash a custom scheme may name', async () => {
  const lengths = await Promise.all(
    (['sha1', 'sha256', 'sha512'] as const).map(async (algorithm) => {
      const signature = {
        header: 'X-Sig',
        algorithm,
        encoding: 'hex',
        content: '{body}',
        value: '{signature}',
        key: 'text',
      } as const
      const signer = await importSigner({
        profile: 'custom',
        custom: { signature },
        secret: 'your-secret-key',
      })
      const headers = await signDelivery(signer, {
        id: 'evt_1',
        timestampSeconds: 17,
        event: 'a',
        body: utf8('{}'),
      })
      return headers['X-Sig']?.length
    }),
  )
  expect(lengths).toEqual([40, 64, 128])
})
