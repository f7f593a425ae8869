import { Webhook } from 'standardwebhooks'
import { describe, expect, test } from 'vitest'
import { Client, expectInvalid } from '../../../../support/process/http-client.ts'
import { receivers } from '../../../../support/receivers/receivers.ts'
import { createRig } from '../../../../support/rig/builders.ts'
import { clientOf } from '../../../../support/rig/rig-client.ts'
import { EVENT, type Preview, previewOf, SECRET, SHAPES, unsigned } from './previews.ts'

const MASKED = '********'

describe('POST /webhooks/preview', () => {
  const draftOf = (client: Client, subscription: object, event: string = EVENT) =>
    client.call<Preview>('POST', '/webhooks/preview', {
      body: `{"subscription":${JSON.stringify(subscription)},"event":${event}}`,
    })

  test.each(SHAPES.filter(([, { asymmetric }]) => asymmetric !== true))(
    'shows of an unsaved draft with %s what the saved one shows, and saves nothing',
    async (_, settings) => {
      const client = clientOf(await createRig())
      const draft = { url: 'https://a.example.com/x', events: ['*'], secret: SECRET, ...settings }
      const shown = await draftOf(client, draft)
      expect(shown.status, shown.text).toBe(200)
      expect((await client.get<unknown[]>('/webhooks')).data).toEqual([])
      const { id } = await client.subscribe(draft)
      const saved = (await previewOf(client, id)).data
      const formOf = ({ request, signedWith: _keys, ...others }: Preview) => ({
        ...others,
        request: { ...request, headers: unsigned({ ...request?.headers, 'webhook-subscription-id': 'any' }) },
      })
      expect(formOf(shown.data)).toEqual(formOf(saved))
      expect(shown.data.signedWith).toBeNull()
    },
  )

  test('says which rule of the draft refuses, and samples from the catalogue', async () => {
    const client = clientOf(await createRig())
    await client.call('PUT', '/event-types/a', { json: { example: { total: 5 } } })
    const subscription = { url: 'https://a.example.com/', events: ['a'], filters: ['total > 5.0'] }
    const { data } = await client.post<Preview>('/webhooks/preview', { subscription })
    expect(data).toMatchObject({ matches: false, rules: [{ rule: 'filters[0]', reason: 'not_satisfied' }] })
    expect(data.request?.body).toContain('"data":{"total":5}')
  })

  test.each<[string, object, string]>([
    ['no url', { url: undefined }, 'subscription.url'],
    ['a url that may not be called', { url: 'ftp://a.example.com/' }, 'subscription.url'],
    ['a bad expression', { filters: ['a >'] }, 'subscription.filters[0]'],
    [
      'a template that does not compile',
      { transform: { template: '{{' } },
      'subscription.transform.template',
    ],
    ['a secret that is too short', { secret: 'abc' }, 'subscription.secret'],
    ['custom without its scheme', { profile: 'custom' }, 'subscription.custom'],
    ['a masked credential', { auth: { type: 'bearer', token: MASKED } }, 'subscription.auth.token'],
    ['an unknown field', { filter: {} }, 'subscription.filter'],
  ])('refuses a draft with %s by path', async (_, fields, path) => {
    const client = new Client()
    const subscription = { url: receivers.url(), events: ['*'], ...fields }
    expectInvalid(await client.post('/webhooks/preview', { subscription, event: {} }), path, /./)
  })

  test("signs each tenant's draft with its own secret", async () => {
    const rig = await createRig()
    rig.clock.nowMs = Date.now()
    for (const secret of [SECRET, `whsec_${btoa('another tenant')}`, `whsec_${btoa('a third one')}`]) {
      const client = clientOf(rig, `ws-${crypto.randomUUID()}`)
      const draft = {
        url: 'https://a.example.com/',
        events: ['*'],
        secret,
        headers: { 'X-Of': secret.slice(-4) },
      }
      const { request } = (await draftOf(client, draft)).data
      expect(request?.headers['X-Of']).toBe(secret.slice(-4))
      expect(new Webhook(secret).verify(request?.body ?? '', request?.headers ?? {})).toBeTruthy()
    }
  })
})
