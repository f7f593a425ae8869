import { env } from 'cloudflare:workers'
import { beforeEach, expect, test } from 'vitest'
import { createRig, freshStore } from '../../support/rig/builders.ts'
import { clientOf, publishAndDeliver } from '../../support/rig/rig-client.ts'
import { sealOfVersion } from '../../support/seals/old-seals.ts'

beforeEach(freshStore)

/** Seals as the first version of a seal did: for the row, in any workspace and field. */
const sealForRow = (plain: string, id: string) =>
  sealOfVersion('v1', { workspaceId: '', id }, { field: '', plain })

async function withOldSeals() {
  const rig = await createRig()
  const client = clientOf(rig)
  const url = 'https://a.example.com/hooks'
  rig.receivers.set(url, () => new Response('ok'))
  const { id } = await client.subscribe({ url, events: ['*'] })
  const auth = await sealForRow('{"type":"bearer","token":"token-of-old"}', id)
  const headers = await sealForRow('{"X-Api-Key":"key-of-old"}', id)
  await env.DB.prepare(
    `UPDATE subscription SET secret_cipher = ?2, auth_cipher = ?3, config = json_set(config, '$.headersCipher', ?4) WHERE id = ?1`,
  )
    .bind(id, await sealForRow('secret-of-old', id), auth, headers)
    .run()
  const seals = async () => {
    const row = await env.DB.prepare(
      `SELECT secret_cipher, auth_cipher, previous_secret_cipher, config ->> '$.headersCipher' AS headers FROM subscription WHERE id = ?1`,
    )
      .bind(id)
      .first<Record<string, string | null>>()
    return Object.values(row ?? {}).flatMap((seal) => (seal === null ? [] : [seal.slice(0, 2)]))
  }
  return { rig, client, id, url, seals }
}

async function expectDelivered({ rig, client, id }: Awaited<ReturnType<typeof withOldSeals>>) {
  await publishAndDeliver(rig, client, { event: 'a', data: {} })
  const { headers } = rig.posts.at(-1) ?? {}
  expect([headers?.get('Authorization'), headers?.get('X-Api-Key')]).toEqual([
    'Bearer token-of-old',
    'key-of-old',
  ])
  expect((await client.get<{ secret: string }>(`/webhooks/${id}/secret`)).data.secret).toBe('secret-of-old')
}

test('what the first version sealed is delivered with and shown', async () => {
  await expectDelivered(await withOldSeals())
})

test.each([
  ['a change', 'PATCH', ''],
  ['a rotation', 'POST', '/rotate-secret'],
])('%s seals it anew, for its workspace and field', async (_, method, path) => {
  const old = await withOldSeals()
  const { client, id, seals } = old
  expect(new Set(await seals())).toEqual(new Set(['v1']))
  const json =
    method === 'PATCH' ? { description: 'changed' } : { overlapSeconds: 60, secret: 'secret-of-old' }
  expect((await client.call(method, `/webhooks/${id}${path}`, { json })).status).toBe(200)
  expect(new Set(await seals())).toEqual(new Set(['v3']))
  await expectDelivered(old)
})

test.each([
  ['credentials in the place of the secret', 'SET secret_cipher = auth_cipher WHERE id = ?1'],
  ['a row that was moved', "SET workspace_no = (SELECT no FROM workspace WHERE id = 'globex') WHERE id = ?1"],
])('%s: nothing is shown', async (_, change) => {
  const rig = await createRig()
  const callers = [clientOf(rig), clientOf(rig, 'globex')] as const
  const { id, secret } = await callers[0].subscribe({ auth: { type: 'bearer', token: 'very-secret-token' } })
  await callers[1].subscribe()
  await env.DB.prepare(`UPDATE subscription ${change}`).bind(id).run()
  const answers = await Promise.all(callers.map((caller) => caller.get(`/webhooks/${id}/secret`)))
  expect(answers.map(({ status }) => status).sort()).toEqual([404, 500])
  for (const { text } of answers) {
    expect(text).not.toContain('very-secret')
    expect(text).not.toContain(secret)
  }
})
