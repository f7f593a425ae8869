import { describe, expect, test } from 'vitest'
import { Client } from '../../support/process/http-client.ts'

describe('an answer is of the type it says, and kept by no cache', () => {
  test.each<[string, () => Promise<{ headers: Headers }>]>([
    [
      'a creation',
      () => new Client().post('/webhooks/subscribe', { url: 'https://a.example.com', events: ['*'] }),
    ],
    ['a refusal', () => new Client().get('/webhooks/nowhere')],
    ['a call without a key', () => new Client().get('/webhooks', { headers: { Authorization: null } })],
    ['a path that is none', () => new Client().get('/nowhere')],
  ])('%s', async (_, call) => {
    const { headers } = await call()
    expect(headers.get('X-Content-Type-Options')).toBe('nosniff')
    expect(headers.get('Cache-Control')).toBe('no-store')
  })
})
