import { expect, test } from 'vitest'
import { Client, type SubscriptionAnswer } from '../../../../support/process/http-client.ts'

const subscriptionTo = (transform: object) => ({
  url: 'https://receiver.example/hooks',
  events: ['order.created'],
  transform,
})

test('a template that cannot give JSON is saved with a warning, which goes once it is mended', async () => {
  const client = new Client()
  for (const template of [
    'New order {{ data.id }}',
    '',
    '<xml>',
    '{"a":1,}',
    '{"text": "{{ data.note }}"}',
  ]) {
    const created = await client.post('/webhooks/subscribe', subscriptionTo({ template }))
    const warning = {
      path: 'transform.template',
      message: expect.stringMatching(/"\| json"|text\/plain/) as string,
    }
    expect([template, created.status, created.data['warnings']]).toEqual([
      template,
      201,
      expect.arrayContaining([warning]),
    ])
  }
  const created = await client.post<SubscriptionAnswer>(
    '/webhooks/subscribe',
    subscriptionTo({ template: '' }),
  )
  const mended = await client.call('PUT', `/webhooks/${created.data.id}`, {
    json: { transform: { template: { text: '{{ data.note }}' } } },
  })
  expect([mended.status, mended.data]).toEqual([
    200,
    expect.not.objectContaining({ warnings: expect.anything() }),
  ])
})

test("a template is tried with the catalogue's example", async () => {
  const client = new Client()
  const example = { rate: 0 }
  await client.call('PUT', '/event-types/order.created', { json: { example } })
  const template = { rate: '{{ 1 | divided_by: data.rate }}' }
  const created = await client.post('/webhooks/subscribe', subscriptionTo({ template }))
  expect(created.data['warnings']).toEqual([
    {
      path: 'transform.template.rate',
      message: expect.stringMatching(
        /^fails for the example of order\.created: divided_by must not divide by zero/,
      ),
    },
  ])
})
