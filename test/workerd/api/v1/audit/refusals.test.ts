import { beforeEach, describe, expect, test, vi } from 'vitest'
import { makeApiKey } from '../../../../../src/access/api-key.ts'
import { logOf } from '../../../../support/audit/log-of.ts'
import { appWith, Client } from '../../../../support/process/http-client.ts'
import { expire, makeKey, withoutRequestId } from '../../../../support/process/keys.ts'
import { freshStore } from '../../../../support/rig/builders.ts'

beforeEach(freshStore)

const viewer = (owner: Client) => makeKey(owner, { role: 'viewer' })

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

  test.each<[string, string, (owner: Client) => Promise<string>]>([
    ['another secret', 'wrong_secret', async (owner) => makeApiKey({ id: (await viewer(owner)).id }).text],
    [
      'a secret that was replaced',
      'old_secret',
      async (owner) => {
        const { id, key } = await viewer(owner)
        await owner.post(`/keys/${id}/rotate`, { overlapSeconds: 0 })
        return key
      },
    ],
    [
      'a key that has expired',
      'expired',
      async (owner) => {
        const shown = await viewer(owner)
        await expire(shown)
        return shown.key
      },
    ],
    [
      'a key that was revoked',
      'revoked',
      async (owner) => {
        const { id, key } = await viewer(owner)
        await owner.call('DELETE', `/keys/${id}`)
        return key
      },
    ],
  ])(
    'with %s has a row in the log of its workspace that says so, and the caller is not told',
    async (_, fault, keyOf) => {
      const owner = new Client()
      const key = await keyOf(owner)
      const caller = new Client(owner.workspace, { key })
      const before = (await logOf(owner)).length
      const told = await caller.get('/webhooks', { headers: { 'CF-Connecting-IP': '192.0.2.9' } })
      const stranger = new Client(owner.workspace, { key: makeApiKey().text })
      expect(withoutRequestId(told)).toEqual(withoutRequestId(await stranger.get('/webhooks')))
      for (let n = 0; n < 20; n++) await caller.get('/webhooks')
      const log = await eventually(owner, before + 1)
      expect(log.at(-1)).toMatchObject({
        actor: 'unknown',
        address: '192.0.2.9',
        object: `keys/${key.slice(4, 16)}`,
        fields: { fault },
        code: 'unauthorized',
      })
      expect(log).toHaveLength(before + 1)
      expect(JSON.stringify(log)).not.toContain(key.slice(17, 40))
      const ofRelay = await eventually(owner, 1, '&log=relay')
      expect(ofRelay.map(({ object }) => object)).not.toContain(`keys/${key.slice(4, 16)}`)
    },
  )

  test('from an address that the key may not be used from has a row in the log of its workspace', async () => {
    const owner = new Client()
    const { id, key } = await makeKey(owner, { role: 'viewer', allowedIps: ['192.0.2.0/24'] })
    const headers = { 'CF-Connecting-IP': '198.51.100.1' }
    expect((await new Client(owner.workspace, { key }).get('/webhooks', { headers })).status).toBe(403)
    expect((await eventually(owner, 2)).at(-1)).toMatchObject({
      actor: `key:${id}`,
      address: '198.51.100.1',
      code: 'forbidden',
    })
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
