/// <reference types="node" />
import { expect, test } from 'vitest'
import { verify } from '../../../../src/signature/index.ts'
import { importSigner, type SignerConfig, signDelivery } from '../../../../src/signature/schemes.ts'
import { BODY, ID, NOW, PUBLIC_KEY, SECRET, SECRET_KEY, TIMESTAMP } from './oracle.ts'

const PROFILES = [
  'standard',
  'standard-webhooks',
  'cloudevents',
  'bigledger',
  'core',
  'ledgerly',
  'marko',
  'custom',
] as const
const OLD = 'the-old-secret-of-mine'
const custom = {
  signature: {
    header: 'X-Acme-Signature',
    algorithm: 'sha512',
    encoding: 'base64url',
    content: '{id}.{timestamp}.{event}.{body}',
    value: 't={timestamp},s={signature}',
    key: 'text',
  },
  idHeader: 'X-Acme-Id',
  eventHeader: 'X-Acme-Event',
} as const

async function sent(config: SignerConfig) {
  const body = new TextEncoder().encode(BODY)
  const message = { id: ID, timestampSeconds: TIMESTAMP, event: 'invoice.paid', body }
  return { body, headers: await signDelivery(await importSigner(config), message), now: NOW }
}

test.each(PROFILES)('what the relay signs for %s is verified', async (profile) => {
  const options = { profile, custom: profile === 'custom' ? custom : null }
  const delivery = await sent({ ...options, secret: SECRET })
  const outcomes = [SECRET, OLD].map(async (secret) => (await verify({ ...delivery, ...options, secret })).ok)
  expect(await Promise.all(outcomes)).toEqual([true, false])
})

test.each(PROFILES)('during a rotation, receivers with either secret verify %s', async (profile) => {
  const options = { profile, custom: profile === 'custom' ? custom : null }
  const delivery = await sent({ ...options, secret: SECRET, previousSecret: OLD })
  const outcomes = [SECRET, OLD, 'neither-of-the-two'].map(
    async (secret) => (await verify({ ...delivery, ...options, secret })).ok,
  )
  expect(await Promise.all(outcomes)).toEqual([true, true, false])
})

test.each(['standard', 'standard-webhooks', 'cloudevents'] as const)(
  'v1a of %s is verified',
  async (profile) => {
    const delivery = await sent({ profile, secret: SECRET, ed25519: { current: SECRET_KEY } })
    expect(await verify({ ...delivery, profile, publicKey: PUBLIC_KEY })).toMatchObject({
      matchedPublicKey: 0,
    })
  },
)
