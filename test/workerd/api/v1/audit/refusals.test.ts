import { beforeEach, describe, expect, test, vi } from 'vitest'
import { logOf } from '../../../../support/audit/log-of.ts'
import { appWith, Client } from '../../../../support/process/http-client.ts'
import { freshStore } from '../../../../support/rig/builders.ts'

beforeEach(freshStore)

describe('a refused call', () => {
  /** Rows of refusals are written after the answer. */
  const eventually = async (client: Client, count: number, query = '') =>
    await vi.waitFor(
      async () => {
        const log = await logOf(client, query)
        expect(log.length).toBeGreaterThanOrEqual(count)
        return log
      },
      { timeout: 4_000, interval: 20 },
    )

  test('that would have changed something has a row with its code', async () => {
    const client = new Client()
    await client.call('PATCH', '/webhooks/webhook_none', { json: { active: false } })
    await client.post('/webhooks/subscribe', { url: 'ftp://nowhere' })
    await client.get('/webhooks/webhook_none/secret')
    await client.get('/webhooks/webhook_none')
    const log = await eventually(client, 3)
    expect(log.map(({ action, outcome, code }) => [action, outcome, code]).sort()).toEqual([
      ['createSubscription', 'refused', 'invalid_request'],
      ['getSecret', 'refused', 'not_found'],
      ['patchSubscription', 'refused', 'not_found'],
    ])
  })

  test.each([
    ['no credential', null, ''],
    ['a wrong one', 'Bearer wrong-key-of-nobody', ''],
    [
      'a key that does not exist',
      'Bearer phk_0123456789Ab_0123456789abcdefghijABCDEFGHIJ012AbCdEf',
      'keys/0123456789Ab',
    ],
  ])('with %s has a row in the log of the relay, whatever it asks for', async (_, authorization, object) => {
    const client = new Client()
    const headers = { Authorization: authorization }
    for (const path of ['/webhooks', '/nowhere'])
      expect((await client.get(path, { headers })).status).toBe(401)
    const log = await eventually(client, 2, '&log=relay')
    expect(log.map(({ actor, code }) => [actor, code])).toEqual([
      ['unknown', 'unauthorized'],
      ['unknown', 'unauthorized'],
    ])
    expect(log.map((entry) => entry.object)).toEqual([object, object])
    expect(log.map(({ route }) => route).sort()).toEqual(['GET /api/v1/nowhere', 'GET /webhooks'])
    expect(JSON.stringify(log)).not.toMatch(/wrong-key|abcdefghij/)
    expect(await logOf(client)).toEqual([])
  })

  test('has no row once there are many, and the next row says how many', async () => {
    let nowMs = Date.now()
    const client = new Client(undefined, { target: appWith(() => ({ now: () => nowMs })) })
    for (let n = 0; n < 50; n++) await client.call('DELETE', '/webhooks/webhook_none')
    expect(await eventually(client, 30)).toHaveLength(30)
    nowMs += 60_000
    await client.call('DELETE', '/webhooks/webhook_none')
    expect((await eventually(client, 31)).at(-1)?.fields).toEqual({ omittedBefore: 20 })
  })
})
