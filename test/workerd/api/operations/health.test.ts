import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { relayOf } from '../../../../src/relay.ts'
import { type Answer, appOf, Client, expectRefusal } from '../../../support/process/http-client.ts'
import { createRig, freshStore, type Rig } from '../../../support/rig/builders.ts'
import { watchD1 } from '../../../support/rig/d1-watch.ts'

beforeEach(freshStore)

const MIGRATED_AT = 'SELECT max(applied_at) AS at FROM d1_migrations'

describe('GET /healthz', () => {
  const clientOf = (rig: Rig) =>
    new Client(rig.workspace, { target: appOf(() => ({ ok: true, relay: rig.relay })) })
  const health = (answer: Answer) => JSON.parse(answer.text) as unknown

  test('says how long ago the last sweep was, and is unhealthy beyond three minutes', async () => {
    const rig = await createRig()
    const client = clientOf(rig)
    await rig.sweep()
    rig.clock.nowMs += 180_000
    const ok = await client.get('/healthz')
    expect([ok.status, health(ok)]).toEqual([200, { status: 'ok', sweepAgeSeconds: 180 }])
    rig.clock.nowMs += 1
    const overdue = await client.get('/healthz')
    expectRefusal(overdue, 503, 'unavailable')
    expect(overdue.error.details).toEqual([
      { path: 'sweep', message: expect.stringMatching(/^The last sweep was 180 s ago.*cron triggers/) },
    ])
    await rig.sweep()
    expect(health(await client.get('/healthz'))).toEqual({ status: 'ok', sweepAgeSeconds: 0 })
  })

  test('of a relay that has never swept counts from its migration', async () => {
    const rig = await createRig()
    const at = await env.DB.prepare(MIGRATED_AT).first<string>('at')
    rig.clock.nowMs = Date.parse(`${at}Z`) + 5_000
    expect(health(await clientOf(rig).get('/healthz'))).toEqual({ status: 'ok', sweepAgeSeconds: 5 })
    rig.clock.nowMs += 180_000
    const overdue = await clientOf(rig).get('/healthz')
    expect(overdue.error.details).toMatchObject([{ path: 'sweep' }])
    const status = await clientOf(rig).get<{ relay: { sweep: object } }>('/status')
    expect(status.data.relay.sweep).toMatchObject({ ranAt: null, ageSeconds: 185, overdue: true })
    const metrics = await clientOf(rig).get('/metrics')
    expect(metrics.text).toContain('posthorn_job_overdue{job="sweep"} 1\n')
    expect(metrics.text).toContain('posthorn_job_age_seconds{job="sweep"} 185\n')
  })
})

const EVENT = { event: 'a', data: {} }
type Ask = (client: Client) => Promise<Answer>

/** A call of each kind that reads or writes the store. */
const CALLS: Record<string, Ask> = {
  'GET /healthz': (client) => client.get('/healthz'),
  'GET /status': (client) => client.get('/status'),
  'GET /metrics': (client) => client.get('/metrics'),
  'POST /events': (client) => client.post('/events', EVENT),
  'POST /events, several': (client) => client.post('/events', { events: [EVENT, { ...EVENT, id: 'own' }] }),
  'POST /dispatch': (client) =>
    client.post('/dispatch', { ...EVENT, url: 'https://r.example.com/', secret: 'a'.repeat(32) }),
  'POST /webhooks/subscribe': (client) =>
    client.post('/webhooks/subscribe', { url: 'https://r.example.com/', events: ['*'] }),
  'GET /webhooks': (client) => client.get('/webhooks'),
  'GET /webhooks/{id}/logs': (client) => client.get('/webhooks/webhook_1/logs'),
  'GET /events': (client) => client.get('/events'),
  'GET /event-types': (client) => client.get('/event-types'),
  'GET /replays': (client) => client.get('/replays'),
  'GET /archives': (client) => client.get('/archives'),
}

describe.each([
  [
    'is full',
    'D1_ERROR: database or disk is full: SQLITE_FULL',
    /disk is full.*was accepted before is kept/,
    60,
  ],
  ['has no space left', 'D1_ERROR: Exceeded maximum DB size.', /is full/, 60],
  ['is busy', 'D1_ERROR: database is locked: SQLITE_BUSY', /is busy/, 2],
  ['is overloaded', 'D1_ERROR: D1 DB is overloaded. Requests queued for too long.', /is busy/, 2],
  // As a local relay's D1 says it when the disk is full.
  ['fails', 'internal error; reference = te7fpgj8d3nu4aue3p2bi4sl', /did not answer.*disk may be full/, 2],
  ['lacks a table', 'D1_ERROR: no such table: event: SQLITE_ERROR', /not migrated/, 2],
])('where the database %s', (_, failure, reason, seconds) => {
  test.each(Object.keys(CALLS))(
    '%s is answered with 503, the reason, and when to try again',
    async (call) => {
      const DB = watchD1(env.DB, () => Promise.reject(new Error(failure)))
      const answer = await CALLS[call]!(new Client(undefined, { target: appOf(relayOf, { ...env, DB }) }))
      expectRefusal(answer, 503, 'unavailable')
      expect(answer.error.message).toMatch(reason)
      expect(answer.headers.get('retry-after')).toBe(String(seconds))
    },
  )
})

test('a large event that R2 has no space for is refused with 503', async () => {
  const put = () => Promise.reject(new Error('put: Unspecified error (0)'))
  const target = appOf(relayOf, { ...env, BODIES: { put } })
  const large = { event: 'a', data: { text: 'x'.repeat(200_000) } }
  const answer = await new Client(undefined, { target }).post('/events', large)
  expectRefusal(answer, 503, 'unavailable')
  expect(answer.headers.get('retry-after')).toBe('2')
})

describe('a table that has gone', () => {
  const rename = (from: string, to: string) => env.DB.prepare(`ALTER TABLE ${from} RENAME TO ${to}`).run()
  const client = () => new Client('gone', { target: appOf(relayOf, { ...env }) })

  test.each(['workspace', 'event', 'event_key', 'subscription', 'delivery', 'attempt', 'claim', 'statistic'])(
    'is missed by /healthz and never a 500, and what was accepted before is there: %s',
    async (table) => {
      const accepted = await client().publish({ ...EVENT, id: 'before' })
      await rename(table, 'away')
      try {
        const health = await client().get('/healthz')
        expectRefusal(health, 503, 'unavailable')
        for (const call of Object.values(CALLS)) expect((await call(client())).status).not.toBe(500)
      } finally {
        await rename('away', table)
      }
      expect((await client().get('/healthz')).status).toBe(200)
      expect((await client().get(`/events/${accepted.id}`)).status).toBe(200)
    },
  )
})
