import { describe, expect, test } from 'vitest'
import { PROFILES } from '../../../src/shape/profile.ts'
import { Client } from '../../support/process/http-client.ts'
import { type Received, receivers } from '../../support/receivers/receivers.ts'
import { closed, contract } from '../../support/rig/api-contract.ts'

const custom = { signature: { header: 'X-Own-Signature' }, idHeader: 'X-Own-Id' }
const data = { object: { id: 'inv_1', total: 2567.5 } }

test('the document says of every profile what its receivers get', () => {
  expect(Object.keys(contract().document.webhooks)).toEqual([...PROFILES])
})

describe.each(PROFILES)('a receiver under the profile %s', (profile) => {
  const settings = { profile, ...(profile === 'custom' && { custom }) }

  test('gets an event as the document says', async () => {
    const url = receivers.url()
    const client = new Client()
    const { id } = await client.subscribe({ url, ...settings })
    await client.post(`/webhooks/${id}/test`, { event: 'invoice.paid', testData: data })
    expectAsDescribed(profile, receivers.received(url))
  })

  test('gets a batch as the document says, and both signatures while a secret is being rotated', async () => {
    const url = receivers.url()
    const client = new Client()
    const { id } = await client.subscribe({ url, ...settings, batchSettings: { maxEvents: 10 } })
    await client.post(`/webhooks/${id}/rotate-secret`, { overlapSeconds: 3600 })
    await client.post(`/webhooks/${id}/test`, { event: 'invoice.paid', testData: data })
    expectAsDescribed(profile, receivers.received(url))
  })
})

/** Holds one request against the document: its headers, its type, its body. */
function expectAsDescribed(profile: (typeof PROFILES)[number], received: readonly Received[]): void {
  const [request] = received
  if (request === undefined) throw new Error(`nothing came under ${profile}`)
  const { parameters, requestBody } = contract().document.webhooks[profile]?.post ?? {}
  const required = (parameters ?? [])
    .filter((header) => header.required)
    .map(({ name }) => name.toLowerCase())
  const described = (parameters ?? []).map(({ name }) => name.toLowerCase())
  const sent = [...request.headers.keys()].filter((name) => !/^(content-type|user-agent)$/.test(name))
  expect(sent).toEqual(expect.arrayContaining(required))
  const own = Object.values({ ...custom.signature, id: custom.idHeader }).map((name) => name.toLowerCase())
  const extra = profile === 'custom' ? [...own, ...own.map((name) => `${name}-next`)] : []
  expect([...described, ...extra]).toEqual(expect.arrayContaining(sent))
  const type = request.headers.get('content-type') ?? ''
  const schema = requestBody?.content[type]?.schema
  expect(Object.keys(requestBody?.content ?? {})).toContain(type)
  expect(contract().problems(schema ?? (false as never), request.body, closed), request.body).toEqual([])
}
