import { expect, test } from 'vitest'
import { patternMatches } from '../../../src/model/event-type.ts'
import {
  disabledAnnouncement,
  exhaustedAnnouncement,
  failingAnnouncement,
  isOperational,
  OPERATIONAL_TYPES,
  recoveredAnnouncement,
} from '../../../src/receiver/operational-event.ts'

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5)
const ABOUT = {
  ...{ no: 7, version: 3, id: 'webhook_a', workspaceId: 'acme' },
  settings: { url: 'https://receiver.example.com', description: 'ledger' },
}
const SPENT = { percent: 70, failingSinceMs: NOW_MS, failedAttempts: 12, disableAtMs: NOW_MS + 1000 }
const DELIVERY = {
  ...{ id: 'log_a', eventId: 'evt_a', event: 'invoice.paid', attempts: 4, error: 'http_status', status: 500 },
}
const all = [
  failingAnnouncement(ABOUT, SPENT),
  disabledAnnouncement(ABOUT, 'gone', NOW_MS),
  recoveredAnnouncement(ABOUT, NOW_MS, NOW_MS + 5),
  exhaustedAnnouncement(ABOUT, DELIVERY),
]

test('each names its subscription, where it delivers, and the workspace that is told', () => {
  const object = { webhookId: 'webhook_a', url: 'https://receiver.example.com', description: 'ledger' }
  for (const one of all) expect(one).toMatchObject({ workspaceId: 'acme', aboutNo: 7, data: { object } })
})

test('a budget that is being spent: how much, since when, and when it ends', () => {
  expect(all[0]).toMatchObject({
    type: 'posthorn.subscription.failing',
    data: {
      object: {
        ...{ percent: 70, failedAttempts: 12 },
        ...{ failingSince: '2026-01-02T03:04:05.000Z', disabledAt: '2026-01-02T03:04:06.000Z' },
      },
    },
  })
})

test('an end: its reason and its time', () => {
  const object = { reason: 'gone', disabledAt: '2026-01-02T03:04:05.000Z' }
  expect(all[1]).toMatchObject({ type: 'posthorn.subscription.disabled', data: { object } })
})

test('a recovery: since when it had failed, where that is known', () => {
  const object = { failingSince: '2026-01-02T03:04:05.000Z', recoveredAt: '2026-01-02T03:04:05.005Z' }
  expect(all[2]).toMatchObject({ type: 'posthorn.subscription.recovered', data: { object } })
  expect(recoveredAnnouncement(ABOUT, null, NOW_MS).data['object']).toMatchObject({ failingSince: null })
})

test('an exhausted delivery: which, of what event, and of what it failed', () => {
  const object = {
    ...{ deliveryId: 'log_a', eventId: 'evt_a', event: 'invoice.paid', attempts: 4 },
    ...{ error: 'http_status', responseCode: 500 },
  }
  expect(all[3]).toMatchObject({ type: 'posthorn.delivery.exhausted', data: { object } })
})

test('the same happening, told later, has the same key', () => {
  const later = [
    failingAnnouncement(ABOUT, { ...SPENT, failedAttempts: 13 }),
    disabledAnnouncement(ABOUT, 'gone', NOW_MS + 60_000),
    recoveredAnnouncement(ABOUT, NOW_MS, NOW_MS + 60_000),
    exhaustedAnnouncement(ABOUT, { ...DELIVERY, status: 502 }),
  ]
  expect(later.map(({ key }) => key)).toEqual(all.map(({ key }) => key))
})

test('another happening has another key', () => {
  const keys = [
    ...all,
    ...[50, 90].map((percent) => failingAnnouncement(ABOUT, { ...SPENT, percent })),
    failingAnnouncement(ABOUT, { ...SPENT, failingSinceMs: NOW_MS + 1 }),
    failingAnnouncement({ ...ABOUT, no: 8 }, SPENT),
    disabledAnnouncement(ABOUT, 'failing', NOW_MS),
    disabledAnnouncement({ ...ABOUT, version: 5 }, 'gone', NOW_MS),
    disabledAnnouncement({ ...ABOUT, no: 8 }, 'gone', NOW_MS),
    recoveredAnnouncement(ABOUT, NOW_MS + 1, NOW_MS + 5),
    exhaustedAnnouncement(ABOUT, { ...DELIVERY, attempts: 5 }),
    exhaustedAnnouncement(ABOUT, { ...DELIVERY, id: 'log_b' }),
  ].map(({ key }) => key)
  expect(new Set(keys).size).toBe(keys.length)
})

test.each(Object.values(OPERATIONAL_TYPES))('%s is the relay’s own, and not part of everything', (type) => {
  expect([isOperational(type), patternMatches('*', type), patternMatches('posthorn.*', type)]).toEqual([
    ...[true, false, true],
  ])
})

test.each(['posthorn', 'posthornx.a', 'a.posthorn.b'])('%s is a publisher’s', (type) => {
  expect(isOperational(type)).toBe(false)
})
