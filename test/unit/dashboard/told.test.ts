import { expect, test } from 'vitest'
import { isConcerned, type Told } from '../../../apps/dashboard/src/live/told.ts'

const told = { eventId: 'evt_1', webhookId: 'webhook_1', deliveryId: 'delivery_1' } as Told
const of = (path: string, id?: string) => ['get', path, id === undefined ? {} : { params: { path: { id } } }]

test.each([
  ['a list of all', of('/api/v1/deliveries'), true],
  ['the figures of the workspace', of('/api/v1/statistics'), true],
  ['its event', of('/api/v1/events/{id}/deliveries', 'evt_1'), true],
  ['another event', of('/api/v1/events/{id}/deliveries', 'evt_2'), false],
  ['its subscription', of('/api/v1/webhooks/{id}', 'webhook_1'), true],
  ['another subscription', of('/api/v1/webhooks/{id}/logs', 'webhook_2'), false],
  ['what no delivery changes', of('/api/v1/keys'), false],
  ['a query that is none of the API’s', ['session'], false],
])('a message of the stream concerns %s, or does not', (_, key, isMeant) => {
  expect(isConcerned(key, [told])).toBe(isMeant)
})

test('messages that are missing concern everything that is about deliveries', () => {
  expect(isConcerned(of('/api/v1/events/{id}', 'evt_2'), null)).toBe(true)
  expect(isConcerned(of('/api/v1/keys'), null)).toBe(false)
})
