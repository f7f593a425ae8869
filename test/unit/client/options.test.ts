import { afterEach, describe, expect, test } from 'vitest'
import { Posthorn } from '../../../packages/client/src/index.ts'
import { StubRelay } from './stub-relay.ts'

let relay: StubRelay | undefined
afterEach(async () => await relay?.close())

describe('options that cannot be right are told at once', () => {
  const right = { url: 'https://hooks.example.com', key: 'ph_key' }
  test.each([
    ['url', { url: '' }],
    ['url', { url: 'hooks.example.com' }],
    ['url', { url: 'ftp://hooks.example.com' }],
    ['url', { url: 'https://user:secret@hooks.example.com' }],
    ['url', { url: 'https://hooks.example.com?key=1' }],
    ['key', { key: '' }],
    ['key', { key: undefined as unknown as string }],
    ['key', { key: 'Bearer x' }],
    ['workspace', { workspace: '' }],
    ['workspace', { workspace: 'acme.eu' }],
    ['workspace', { workspace: 'a'.repeat(129) }],
    ['timeoutMs', { timeoutMs: 0 }],
    ['timeoutMs', { timeoutMs: Number.POSITIVE_INFINITY }],
    ['timeoutMs', { timeoutMs: 2 ** 31 }],
    ['retries.max', { retries: { max: -1 } }],
    ['retries.often', { retries: { often: 1 } as object }],
  ])('%s: %j', (name, wrong) => {
    expect(() => new Posthorn({ ...right, ...wrong })).toThrow(
      expect.objectContaining({ name: 'TypeError', message: expect.stringContaining(name) }),
    )
  })

  test('another workspace, and the time for one call', async () => {
    const posthorn = new Posthorn(right)
    const none = undefined as unknown as string
    for (const wrong of ['', 'acme.eu', none]) expect(() => posthorn.in(wrong)).toThrow(/^workspace must be/)
    await expect(posthorn.session({ timeoutMs: Number.POSITIVE_INFINITY })).rejects.toThrow(/^timeoutMs must/)
  })

  test('an address that names the API is one of the relay', async () => {
    const started = await StubRelay.start()
    relay = started
    for (const end of ['', '/', '/api/v1', '/v1/']) {
      await new Posthorn({ url: started.url + end, key: 'k' }).session()
    }
    expect(new Set(started.seen.map(({ path }) => path))).toEqual(new Set(['/api/v1/session']))
  })
})
