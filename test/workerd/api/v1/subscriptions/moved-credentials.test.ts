import { beforeEach, describe, expect, test } from 'vitest'
import { createRig, freshStore } from '../../../../support/rig/builders.ts'
import { clientOf } from '../../../../support/rig/rig-client.ts'

beforeEach(freshStore)

const HERE = 'https://receiver.example.com/hooks'
const ELSEWHERE = 'https://attacker.example.net/hooks'
const BASIC = { type: 'basic', username: 'u', password: 'very-secret-1' }
const KEY = { 'X-Api-Key': 'very-secret-2', 'X-Team': 'billing' }

async function saved(settings: object) {
  const client = clientOf(await createRig())
  const { id } = await client.subscribe({ url: HERE, ...settings })
  const change = (body: object) => client.call('PATCH', `/webhooks/${id}`, { json: body })
  return { change }
}

describe('a change of "url" to another origin', () => {
  test('is refused while it would take stored credentials along', async () => {
    const { change } = await saved({ auth: BASIC, headers: KEY })
    const { status, text } = await change({ url: ELSEWHERE })
    expect(status).toBe(400)
    expect(text).toContain('"path":"auth"')
    expect(text).toContain('"path":"headers.X-Api-Key"')
    expect(text).not.toContain('headers.X-Team')
  })

  test('is refused with masked ones, which stand for those that are stored', async () => {
    const { change } = await saved({ auth: BASIC })
    const masked = { ...BASIC, password: '********' }
    expect((await change({ url: ELSEWHERE, auth: masked })).status).toBe(400)
  })

  test.each([
    ['given again', { auth: BASIC, headers: KEY }],
    ['left out', { auth: null, headers: {} }],
  ])('is taken with credentials that are %s', async (_, credentials) => {
    const { change } = await saved({ auth: BASIC, headers: KEY })
    expect((await change({ url: ELSEWHERE, ...credentials })).status).toBe(200)
  })

  test('is taken where there are none', async () => {
    const { change } = await saved({ headers: { 'X-Team': 'billing' } })
    expect((await change({ url: ELSEWHERE })).status).toBe(200)
  })
})

test('another path of the same origin keeps the credentials', async () => {
  const { change } = await saved({ auth: BASIC, headers: KEY })
  expect((await change({ url: `${HERE}/v2` })).status).toBe(200)
})
