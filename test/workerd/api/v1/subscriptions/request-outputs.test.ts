import { describe, expect, test } from 'vitest'
import { Client, expectInvalid, type SubscriptionAnswer } from '../../../../support/process/http-client.ts'
import { receivers } from '../../../../support/receivers/receivers.ts'
import { EVENT, previewOf } from './previews.ts'

describe('values of the event in a URL and in headers', () => {
  test('are sent escaped', async () => {
    const client = new Client()
    const url = receivers.url()
    const { id } = await client.subscribe({
      url: `${url}/{{ event.type }}?name={{ data.name }}`,
      headers: { 'X-Name': 'of {{ data.name }}' },
    })
    await client.publish({ event: 'order.created', data: { name: 'Zoë/\r\nX-Evil: 1' } })
    await client.settled(id, 'success', 1)
    const [request] = receivers.received(`${url}/order.created?name=Zo%C3%AB%2F%0D%0AX-Evil%3A%201`)
    expect(request?.headers.get('X-Name')).toBe('of Zo%C3%AB/ X-Evil: 1')
    expect(request?.headers.get('X-Evil')).toBeNull()
  })

  test('that cannot be had fail the delivery and say which; nothing is sent', async () => {
    const client = new Client()
    const url = receivers.url()
    const { id } = await client.subscribe({ url: `${url}/{{ data.id }}` })
    await client.publish({ event: 'order.created', data: {} })
    const [delivery] = await client.settled(id, 'failed', 1)
    expect(delivery).toMatchObject({
      error: 'template',
      explanation: 'url: {{ data.id }} gives nothing: add a default, such as {{ … | default: "none" }}',
    })
    expect(receivers.all().filter((request) => request.url.startsWith(url))).toEqual([])
  })

  test('show in previews; a credential stays masked', async () => {
    const client = new Client()
    const { id } = await client.subscribe({
      url: 'https://a.example.com/{{ data.object.id }}',
      headers: { 'X-Total': '{{ invoice.total }}', 'X-Api-Key': 'k-{{ data.object.id }}' },
    })
    const { data } = await previewOf(client, id, EVENT)
    expect(data.request).toMatchObject({
      url: 'https://a.example.com/inv_1',
      headers: { 'X-Total': '2567.50', 'X-Api-Key': '********' },
    })
  })
})

describe('outputs are refused when they are saved', () => {
  const subscribing = (fields: object) => ({ url: receivers.url(), events: ['*'], ...fields })
  const batch = { enabled: true }

  test.each<[object, string, RegExp]>([
    [{ url: 'https://{{ data.host }}/' }, 'url', /path and query only/],
    [{ url: 'https://a.example.com/{{ data.x | nope }}' }, 'url', /no filter "nope"/],
    [{ headers: { 'X-A': '{{ data.x' } }, 'headers.X-A', /without "\}\}"/],
    [{ url: 'https://a.example.com/{{ id }}', batchSettings: batch }, 'url', /a batch holds several/],
    [{ headers: { 'X-A': '{{ id }}' }, batchSettings: batch }, 'headers.X-A', /a batch holds several/],
  ])('%j', async (fields, path, message) => {
    expectInvalid(await new Client().post('/webhooks/subscribe', subscribing(fields)), path, message)
  })

  test('also where stored headers meet batches', async () => {
    const client = new Client()
    const created = await client.post<SubscriptionAnswer>(
      '/webhooks/subscribe',
      subscribing({ headers: { 'X-A': '{{ id }}' } }),
    )
    const changed = await client.call('PUT', `/webhooks/${created.data.id}`, {
      json: { batchSettings: batch },
    })
    expectInvalid(changed, 'headers.X-A', /a batch holds several/)
  })
})
