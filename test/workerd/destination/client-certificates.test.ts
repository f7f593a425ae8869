import { beforeEach, describe, expect, test } from 'vitest'
import { expectInvalid } from '../../support/process/http-client.ts'
import { createRig, freshStore, type Rig } from '../../support/rig/builders.ts'
import { clientOf } from '../../support/rig/rig-client.ts'

beforeEach(freshStore)

const URL = 'https://hooks.example.com/a'
const mtls = (certificate: string) => ({ type: 'mtls', certificate }) as const
const settings = (certificate: string, url = URL) => ({ url, events: ['*'], auth: mtls(certificate) })

/** A relay with two certificates, and what was sent by each. */
async function scene() {
  const sent: [string, string, unknown][] = []
  const binding = (name: string, status = 200) => ({
    fetch: async (url: string, init: RequestInit) => {
      sent.push([name, url, init.redirect])
      return new Response('ok', { status })
    },
  })
  const bindings = {
    MTLS_ACME: binding('MTLS_ACME'),
    MTLS_OTHER: binding('MTLS_OTHER', 401),
    MTLS_TEXT: 'no binding',
    INTERNAL: binding('INTERNAL'),
  }
  const rig = await createRig({ bindings })
  return { rig, client: clientOf(rig), sent }
}

async function publish(rig: Rig) {
  await rig.publish({})
  await rig.drain()
  return (await rig.deliveries()).at(-1)
}

test('a delivery goes through the certificate that its subscription names, and no other way', async () => {
  const { rig, client, sent } = await scene()
  const created = await client.subscribe(settings('MTLS_ACME'))
  expect(created).toMatchObject({ auth: mtls('MTLS_ACME') })
  expect(await publish(rig)).toMatchObject({ state: 1 })
  expect(sent).toEqual([['MTLS_ACME', URL, 'manual']])
  expect(rig.posts).toEqual([])
})

test('a receiver that refuses it is asked once', async () => {
  const { rig, client, sent } = await scene()
  await client.subscribe(settings('MTLS_OTHER'))
  expect(await publish(rig)).toMatchObject({ state: 2, status: 401 })
  expect(sent).toHaveLength(1)
})

describe('a certificate is refused', () => {
  test.each(['INTERNAL', 'EGRESS', 'DB', 'MTLS_TEXT', 'MTLS_NONE', 'mtls_acme', '__proto__', 'constructor'])(
    '%s, with the names that there are',
    async (certificate) => {
      const { client } = await scene()
      const answer = await client.post('/webhooks/subscribe', settings(certificate))
      expectInvalid(answer, 'auth.certificate', /there are: MTLS_ACME, MTLS_OTHER$/)
    },
  )

  test('where there is none at all', async () => {
    const answer = await clientOf(await createRig()).post('/webhooks/subscribe', settings('MTLS_ACME'))
    expectInvalid(answer, 'auth.certificate', /there is none for this workspace/)
  })

  test.each(['', 'a-b', 'a b', 'x'.repeat(101)])('%j, which is no name', async (certificate) => {
    const { client } = await scene()
    expectInvalid(
      await client.post('/webhooks/subscribe', settings(certificate)),
      'auth.certificate',
      /must be the name of a certificate/,
    )
  })

  test('that the workspace may not use, at the attempt as well', async () => {
    const { rig, client, sent } = await scene()
    await client.subscribe(settings('MTLS_ACME'))
    const json = { allowedCertificates: ['MTLS_OTHER'] }
    expect((await client.call('PUT', `/workspaces/${rig.workspace}`, { json })).data).toMatchObject(json)
    const answer = await client.post('/webhooks/subscribe', settings('MTLS_ACME'))
    expectInvalid(answer, 'auth.certificate', /there are: MTLS_OTHER$/)
    expect(await publish(rig)).toMatchObject({ state: 2, error: 'auth', due_at_ms: expect.any(Number) })
    expect([...sent, ...rig.posts]).toEqual([])
  })
})

test('a binding that has gone sends nothing, and the delivery is tried again', async () => {
  const { rig, client, sent } = await scene()
  await client.subscribe(settings('MTLS_ACME'))
  const later = await createRig({ world: rig.world, workspace: rig.workspace })
  expect(await publish(later)).toMatchObject({ state: 2, error: 'auth', due_at_ms: expect.any(Number) })
  expect([...sent, ...rig.posts]).toEqual([])
})

test('a URL that is not allowed is not called with a certificate either', async () => {
  const { client, sent, rig } = await scene()
  await client.subscribe(settings('MTLS_ACME'))
  await client.call('PUT', `/workspaces/${rig.workspace}`, { json: { deniedHosts: ['hooks.example.com'] } })
  expect(await publish(rig)).toMatchObject({ error: 'blocked' })
  expect(sent).toEqual([])
})

test('another origin asks for the certificate again', async () => {
  const { client } = await scene()
  const { id } = await client.subscribe(settings('MTLS_ACME'))
  const patch = (json: object) => client.call('PATCH', `/webhooks/${id}`, { json })
  const url = 'https://elsewhere.example.net/'
  expectInvalid(await patch({ url }), 'auth', /must be given again/)
  expect((await patch({ url, auth: mtls('MTLS_ACME') })).status).toBe(200)
})
