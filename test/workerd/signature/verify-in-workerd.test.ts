import { expect, test } from 'vitest'
import { verify, verifyRequest } from '../../../src/signature/index.ts'
import { importSigner, signDelivery } from '../../../src/signature/schemes.ts'
import standardVectors from '../../vectors/standard-webhooks.json' with { type: 'json' }

const NOW = 1_700_000_000_000
const BODY = '{"id":"evt_1","data":{"total":2567.50,"name":"é 日本 🧾"}}'
const MESSAGE = {
  id: 'evt_1',
  timestampSeconds: NOW / 1000,
  event: 'invoice.paid',
  body: new TextEncoder().encode(BODY),
}

async function request(profile: 'standard' | 'bigledger' | 'core' | 'ledgerly' | 'marko', body = BODY) {
  const headers = await signDelivery(await importSigner({ profile, secret: 'your-secret-key' }), MESSAGE)
  return new Request('https://receiver.example.com/', { method: 'POST', headers, body })
}

test.each(['standard', 'bigledger', 'core', 'ledgerly', 'marko'] as const)(
  'a Worker verifies %s as the relay signs it, and nothing that was changed',
  async (profile) => {
    const options = { profile, secret: 'your-secret-key', now: NOW }
    expect(await verifyRequest(await request(profile), options)).toMatchObject({
      ok: true,
      id: 'evt_1',
      text: BODY,
    })
    expect(await verifyRequest(await request(profile, `${BODY} `), options)).toMatchObject({
      ok: false,
      reason: 'no_matching_signature',
    })
  },
)

test.each(standardVectors)('a Worker verifies the published vector: $source', async (vector) => {
  const headers = {
    'webhook-id': vector.id,
    'webhook-timestamp': String(vector.timestampSeconds),
    'webhook-signature': vector.signature,
  }
  const input = { body: vector.body, secret: vector.secret, now: vector.timestampSeconds * 1000 }
  expect(await verify({ ...input, headers })).toMatchObject({ ok: true, id: vector.id })
  const noOther = { ...headers, 'webhook-id': 'msg_2' }
  expect(await verify({ ...input, headers: noOther })).toMatchObject({ reason: 'no_matching_signature' })
})

test('a Worker verifies v1a, and refuses it under another key', async () => {
  const headers = {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature':
      'v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==',
  }
  const input = { body: '{"test": 2432232314}', headers, now: 1_614_265_330_000 }
  const publicKey = 'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4='
  expect(await verify({ ...input, publicKey })).toMatchObject({ ok: true, matchedPublicKey: 0 })
  expect(await verify({ ...input, publicKey: `whpk_${'A'.repeat(43)}=` })).toMatchObject({
    reason: 'no_matching_signature',
  })
})
