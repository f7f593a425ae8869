import { beforeEach, expect, test } from 'vitest'
import { expectInvalid } from '../../../../support/process/http-client.ts'
import { createRig, freshStore } from '../../../../support/rig/builders.ts'
import { clientOf, publishAndDeliver } from '../../../../support/rig/rig-client.ts'

beforeEach(freshStore)

const URL_GIVEN = 'https://hooks.slack.com/services/T01/B02/very-secret'
const URL_SHOWN = 'https://hooks.slack.com/services/T01/B02/********'
const CLIENT = { type: 'oauth2', clientId: 'c', clientSecret: 'client-secret' }
const AUTH = { ...CLIENT, tokenUrl: 'https://auth.example.com/token?api_key=very-secret' }

async function subscribed(settings: object = {}) {
  const rig = await createRig()
  const client = clientOf(rig)
  rig.receivers.set(URL_GIVEN, () => new Response('ok'))
  const created = await client.subscribe({ url: URL_GIVEN, ...settings })
  const change = (json: object) => client.call('PATCH', `/webhooks/${created.id}`, { json })
  return { rig, client, created, change }
}

test('a URL that is a credential is shown at creation and with the secret, and masked everywhere else', async () => {
  const { rig, client, created } = await subscribed()
  expect(created.url).toBe(URL_GIVEN)
  const { id: event } = await publishAndDeliver(rig, client, { event: 'a', data: {} })
  const { id } = created
  for (const path of [
    '/webhooks',
    `/webhooks/${id}`,
    `/webhooks/${id}/logs`,
    `/events/${event}/deliveries`,
  ]) {
    const { status, text } = await client.get(path)
    expect([path, status, text.includes('very-secret')]).toEqual([path, 200, false])
  }
  expect((await client.get(`/webhooks/${id}`)).data).toMatchObject({ url: URL_SHOWN })
  expect((await client.post(`/webhooks/${id}/preview`, {})).data).toMatchObject({
    request: { url: URL_SHOWN },
  })
  expect((await client.get(`/webhooks/${id}/secret`)).data).toMatchObject({ url: URL_GIVEN })
})

test('what is shown of it may be sent back, and stands for it', async () => {
  const { rig, client, change, created } = await subscribed({ auth: AUTH })
  const shown = (await client.get<{ auth: object }>(`/webhooks/${created.id}`)).data
  expect(shown).toMatchObject({
    url: URL_SHOWN,
    auth: { tokenUrl: 'https://auth.example.com/token?api_key=********' },
  })
  const { status, text } = await change({ url: URL_SHOWN, auth: shown.auth })
  expect(status, text).toBe(200)
  expect((await change({ auth: { ...shown.auth, clientSecret: 'another' } })).status).toBe(200)
  await change({ auth: null })
  await publishAndDeliver(rig, client, { event: 'a', data: {} })
  expect(rig.posts.map(({ url }) => url)).toEqual([URL_GIVEN])
})

test('a mask that stands for nothing is refused', async () => {
  const { client, change } = await subscribed()
  const other = 'https://hooks.slack.com/services/T01/B03/********'
  expectInvalid(await change({ url: other }), 'url', /the URL itself/)
  const auth = { ...AUTH, tokenUrl: 'https://auth.example.com/?api_key=********' }
  expectInvalid(await change({ auth }), 'auth.tokenUrl', /the URL itself/)
  expectInvalid(
    await client.post('/webhooks/subscribe', { url: other, events: ['*'] }),
    'url',
    /the URL itself/,
  )
})
