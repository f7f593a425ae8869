import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { relayOf } from '../../../src/relay.ts'
import { appOf, Client, expectRefusal } from '../../support/process/http-client.ts'

/** Failed authentications of one address in a minute, as wrangler.toml has it. */
const FAILURES_MAX = 60

const from = (address: string, key = 'not_the_key') => ({
  headers: { Authorization: `Bearer ${key}`, 'CF-Connecting-IP': address },
})

test('an address without a valid key is told to wait after a while, and no other one', async () => {
  const client = new Client()
  for (let n = 0; n < FAILURES_MAX; n++) {
    expectRefusal(await client.get('/events', from('192.0.2.1')), 401, 'unauthorized')
  }
  const refused = await client.get('/events', from('192.0.2.1'))
  expectRefusal(refused, 429, 'rate_limited')
  expect(refused.headers.get('retry-after')).toBe('60')
  expectRefusal(await client.get('/events', from('192.0.2.2')), 401, 'unauthorized')
  // A valid key passes from there all the same.
  expect((await client.get('/events', { headers: { 'CF-Connecting-IP': '192.0.2.1' } })).status).toBe(200)
})

test('a relay without the binding counts none', async () => {
  const { FAILED_AUTHENTICATIONS: _, ...bindings } = env
  const client = new Client(undefined, { target: appOf(relayOf, bindings) })
  for (let n = 0; n <= FAILURES_MAX; n++) {
    expectRefusal(await client.get('/events', from('192.0.2.3')), 401, 'unauthorized')
  }
})
