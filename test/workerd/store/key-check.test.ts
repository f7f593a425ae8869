import { env } from 'cloudflare:workers'
import { beforeEach, expect, test } from 'vitest'
import { createVault } from '../../../src/base/secret/vault.ts'
import { handleQueue } from '../../../src/queue.ts'
import { provenRelayOf } from '../../../src/relay.ts'
import { KeyCheck } from '../../../src/store/key-check.ts'
import { appOf, Client, expectRefusal } from '../../support/process/http-client.ts'
import { createRig, freshStore } from '../../support/rig/builders.ts'

const OTHER_KEY = btoa('fedcba9876543210fedcba9876543210')

beforeEach(freshStore)

const fits = (key: string) => new KeyCheck(env.DB, createVault(key)).check()
const checkValue = () => env.DB.prepare('SELECT sealed FROM key_check').first<string>('sealed')

test('the first key of a database is the one it stays with', async () => {
  expect(await fits(env.KEY_ENCRYPTION_KEY)).toBe(true)
  expect(await fits(OTHER_KEY)).toBe(false)
  expect(await fits(env.KEY_ENCRYPTION_KEY)).toBe(true)
})

test('a database without a check value is known by its secrets', async () => {
  await (await createRig()).subscribe({})
  expect(await fits(OTHER_KEY)).toBe(false)
  expect(await checkValue()).toBeNull()
  expect(await fits(env.KEY_ENCRYPTION_KEY)).toBe(true)
  expect(await checkValue()).toMatch(/^v3\./)
})

test('another key is taken while the one before is given, and the database stays with that until it is sealed anew', async () => {
  const changed = new KeyCheck(env.DB, createVault(OTHER_KEY, env.KEY_ENCRYPTION_KEY))
  await fits(env.KEY_ENCRYPTION_KEY)
  expect(await changed.check()).toBe(true)
  expect(await fits(OTHER_KEY)).toBe(false)
  expect(await fits(env.KEY_ENCRYPTION_KEY)).toBe(true)
})

test('two keys leave a database without a check value as it is: only one of them has sealed its secrets', async () => {
  await (await createRig()).subscribe({})
  expect(await new KeyCheck(env.DB, createVault(OTHER_KEY, env.KEY_ENCRYPTION_KEY)).check()).toBe(true)
  expect(await checkValue()).toBeNull()
  expect(await fits(OTHER_KEY)).toBe(false)
})

test('an operator may let go of a lost key', async () => {
  await (await createRig()).subscribe({})
  await fits(env.KEY_ENCRYPTION_KEY)
  await env.DB.prepare("UPDATE key_check SET sealed = ''").run()
  expect(await fits(OTHER_KEY)).toBe(true)
  expect(await fits(env.KEY_ENCRYPTION_KEY)).toBe(false)
})

test('what does not answer proves nothing against a key', async () => {
  const silent = {
    prepare: () => {
      throw new Error('D1_ERROR: overloaded')
    },
  } as unknown as D1Database
  expect(await new KeyCheck(silent, createVault(OTHER_KEY)).check()).toBe(true)
})

test('a relay with another key refuses every call, says what to do, and puts its messages off', async () => {
  await fits(env.KEY_ENCRYPTION_KEY)
  const wrong = { ...env, KEY_ENCRYPTION_KEY: OTHER_KEY }
  const client = new Client(undefined, { target: appOf(provenRelayOf, wrong) })
  const answer = await client.get('/webhooks')
  expectRefusal(answer, 503, 'unavailable')
  expect(answer.error.message).toContain('KEY_ENCRYPTION_KEY is not the key')
  const delays: unknown[] = []
  const batch = { retryAll: (options: unknown) => delays.push(options) } as unknown as MessageBatch
  await handleQueue(await provenRelayOf(wrong), batch, () => {})
  expect(delays).toEqual([{ delaySeconds: 60 }])
})
