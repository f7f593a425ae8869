import { env, exports } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { LOCAL_ADMIN_KEY } from '../../../../src/env.ts'
import { ADMIN_KEY, appOf } from '../../../support/process/http-client.ts'
import { answer, createRig, createWorld, freshStore, type Rig } from '../../../support/rig/builders.ts'
import { meterD1 } from '../../../support/rig/d1-watch.ts'

const URL_ = 'https://relay.example.com/metrics'
const bearer = (key: string) => ({ headers: { Authorization: `Bearer ${key}` } })

beforeEach(freshStore)

/** Values by metric and labels, as they are written. */
async function scrape(rig: Rig): Promise<Map<string, number>> {
  const response = await appOf(() => ({ ok: true, relay: rig.relay }))(new Request(URL_, bearer(ADMIN_KEY)))
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  const lines = (await response.text()).split('\n')
  expect(lines.pop()).toBe('')
  return new Map(
    lines
      .filter((line) => !line.startsWith('#'))
      .map((line) => {
        const at = line.lastIndexOf(' ')
        return [line.slice(0, at), Number(line.slice(at + 1).replace('Inf', 'Infinity'))]
      }),
  )
}

describe('who may read them', () => {
  test.each<[string, RequestInit]>([
    ['nobody', {}],
    ['a wrong key', bearer(`${ADMIN_KEY}x`)],
    ['the beginning of the key', bearer(ADMIN_KEY.slice(0, -1))],
    ['the key under another scheme', { headers: { Authorization: `Basic ${ADMIN_KEY}` } }],
    ['the key for local runs', bearer(LOCAL_ADMIN_KEY)],
  ])('%s is refused, and told nothing', async (_, init) => {
    const response = await exports.default.fetch(new Request(URL_, init))
    expect(response.status).toBe(401)
    expect(await response.text()).not.toContain('posthorn_')
  })

  test('the admin key may, outside /api only', async () => {
    expect((await exports.default.fetch(new Request(URL_, bearer(ADMIN_KEY)))).status).toBe(200)
    const inside = new Request('https://relay.example.com/api/v1/metrics', bearer(ADMIN_KEY))
    expect((await exports.default.fetch(inside)).status).toBe(404)
  })
})

test('what happened and what is going on is in them, over all workspaces', async () => {
  const world = createWorld()
  const [rig, other] = [await createRig({ world }), await createRig({ world })]
  const dead = await rig.subscribe({ retryPolicy: { maxRetries: 0 } })
  rig.receivers.set(dead.settings.url, answer(500))
  await other.subscribe()
  const waiting = await other.subscribe({ events: ['waits'] })
  other.receivers.set(waiting.settings.url, answer(500))
  await rig.publish({}, {})
  await other.publish({}, {}, {}, { type: 'waits' })
  await rig.drain()
  await rig.sweep()
  await rig.sweep('*/2 * * * *')
  await env.DB.prepare('UPDATE subscription SET paused_at_ms = 1 WHERE no = ?1').bind(dead.no).run()
  rig.clock.nowMs += 40_000
  const values = await scrape(rig)
  expect(Object.fromEntries(values)).toMatchObject({
    'posthorn_deliveries_total{outcome="delivered"}': 4,
    'posthorn_deliveries_total{outcome="failed"}': 2,
    posthorn_attempts_total: 7,
    posthorn_attempt_duration_seconds_count: 7,
    'posthorn_attempt_duration_seconds_bucket{le="+Inf"}': 7,
    'posthorn_due_deliveries{state="ready"}': 1,
    'posthorn_due_deliveries{state="held"}': 0,
    posthorn_oldest_due_seconds: 30,
    'posthorn_subscriptions{state="active"}': 2,
    'posthorn_subscriptions{state="paused"}': 1,
    posthorn_subscriptions_failing: 1,
    posthorn_counts_truncated: 0,
    'posthorn_job_age_seconds{job="sweep"}': 40,
    'posthorn_job_age_seconds{job="purge"}': 40,
    'posthorn_job_overdue{job="sweep"}': 0,
    'posthorn_job_overdue{job="purge"}': 0,
    'posthorn_job_truncated{job="sweep"}': 0,
    posthorn_database_max_bytes: 10_000_000_000,
  })
  expect(
    [...values.keys()].filter((key) => key.startsWith('posthorn_attempt_duration_seconds_bucket')),
  ).toHaveLength(16)
  expect(values.get('posthorn_database_bytes')).toBeGreaterThan(1_000)
})

test('counters begin anew at six o’clock, and only then fall', async () => {
  const rig = await createRig()
  await rig.subscribe()
  const delivered = async () => (await scrape(rig)).get('posthorn_deliveries_total{outcome="delivered"}')
  const seen: (number | undefined)[] = []
  for (let hour = 12; hour < 19; hour++) {
    await rig.publish({})
    await rig.drain()
    await rig.sweep()
    seen.push(await delivered())
    rig.clock.nowMs += 3_600_000
  }
  expect(seen).toEqual([1, 2, 3, 4, 5, 6, 1])
})

test('a queue that answers is shown, one that does not is left out', async () => {
  const rig = await createRig()
  const metrics = async () => ({
    ...{ backlogCount: 7, backlogBytes: 700 },
    oldestMessageTimestamp: new Date(rig.clock.nowMs - 2_000),
  })
  const broken = () => Promise.reject(new Error('not here'))
  const relay = {
    ...rig.relay,
    env: {
      ...rig.relay.env,
      DELIVERIES: { metrics } as unknown as Queue,
      RETRIES: { metrics: broken } as unknown as Queue,
    },
  }
  const values = await scrape({ ...rig, relay })
  expect(values.get('posthorn_queue_messages{queue="deliveries"}')).toBe(7)
  expect(values.get('posthorn_queue_oldest_seconds{queue="deliveries"}')).toBe(2)
  expect(values.has('posthorn_queue_messages{queue="retries"}')).toBe(false)
  expect([...values.values()].some(Number.isNaN)).toBe(false)
})

describe('a subscription in trouble is named', () => {
  /** What is said of subscriptions, without the rest. */
  async function named(rig: Rig): Promise<Record<string, number>> {
    const values = [...(await scrape(rig))]
    return Object.fromEntries(values.filter(([name]) => name.startsWith('posthorn_subscription_')))
  }

  test('with its workspace, while it fails and has deliveries due', async () => {
    const rig = await createRig()
    await rig.subscribe()
    const dead = await rig.subscribe()
    rig.receivers.set(dead.settings.url, answer(500))
    await rig.publish({}, {})
    await rig.drain()
    await rig.sweep()
    rig.clock.nowMs += 40_000
    const labels = `workspace="${rig.workspace}",subscription="${dead.id}"`
    expect(await named(rig)).toEqual({
      [`posthorn_subscription_failing_seconds{${labels}}`]: 40,
      [`posthorn_subscription_oldest_due_seconds{${labels}}`]: expect.any(Number),
      [`posthorn_subscription_due_deliveries{${labels}}`]: 2,
    })
    await env.DB.prepare('UPDATE subscription SET paused_at_ms = 1 WHERE no = ?1').bind(dead.no).run()
    rig.clock.nowMs += 2 * 3_600_000
    expect(Object.keys(await named(rig))).toEqual([`posthorn_subscription_failing_seconds{${labels}}`])
  })

  test('for two hours after its deliveries have failed for good', async () => {
    const rig = await createRig()
    const dead = await rig.subscribe({ retryPolicy: { maxRetries: 0 } })
    rig.receivers.set(dead.settings.url, answer(500))
    await rig.publish({}, {}, {})
    await rig.drain()
    await rig.sweep()
    const failed = async () =>
      Object.entries(await named(rig)).filter(([name]) => name.includes('failed_deliveries'))
    const labels = `workspace="${rig.workspace}",subscription="${dead.id}"`
    expect(await failed()).toEqual([[`posthorn_subscription_failed_deliveries{${labels}}`, 3]])
    rig.clock.nowMs += 2 * 3_600_000
    expect(await failed()).toEqual([])
  })

  test('when the relay has disabled it, and not when its owner has', async () => {
    const rig = await createRig()
    const gone = await rig.subscribe()
    const byOwner = await rig.subscribe({ active: false })
    rig.receivers.set(gone.settings.url, answer(410))
    await rig.publish({})
    await rig.drain()
    const names = Object.keys(await named(rig))
    expect(names).toEqual([
      `posthorn_subscription_disabled{workspace="${rig.workspace}",subscription="${gone.id}",reason="gone"}`,
    ])
    expect(names.join()).not.toContain(byOwner.id)
  })

  test('up to twenty of them, the worst', async () => {
    const rig = await createRig()
    for (let n = 0; n < 25; n++) {
      const events = [`type-${n}`]
      const dead = await rig.subscribe({ events })
      const lost = await rig.subscribe({ events, retryPolicy: { maxRetries: 0 } })
      for (const { settings } of [dead, lost]) rig.receivers.set(settings.url, answer(500))
      await rig.publish({ type: `type-${n}` })
      await rig.drain()
      rig.clock.nowMs += 1000
    }
    await rig.sweep()
    rig.clock.nowMs += 100_000
    const values = await named(rig)
    for (const name of ['failing_seconds', 'oldest_due_seconds', 'due_deliveries', 'failed_deliveries']) {
      const some = Object.keys(values).filter((key) => key.startsWith(`posthorn_subscription_${name}{`))
      expect(some, name).toHaveLength(20)
    }
    const seconds = Object.entries(values).filter(([key]) => key.includes('failing_seconds'))
    expect(Math.min(...seconds.map(([, value]) => value))).toBe(116)
  })
})

test('no healthy subscription has a label, and a scrape costs some rows for each', async () => {
  const world = createWorld()
  const { db, meter } = meterD1(env.DB)
  const rig = await createRig({ db, world })
  await rig.subscribe()
  const names = [...(await scrape(rig)).keys()]
  for (let i = 0; i < 30; i++) {
    const other = await createRig({ world })
    await other.subscribe()
    await other.publish({})
    await other.drain()
  }
  await rig.sweep()
  Object.assign(meter, { rowsRead: 0, rowsWritten: 0 })
  const values = await scrape(rig)
  expect([...values.keys()].filter((name) => !name.includes('job='))).toEqual(
    names.filter((name) => !name.includes('job=')),
  )
  expect(values.get('posthorn_deliveries_total{outcome="delivered"}')).toBe(30)
  expect(meter.rowsRead).toBeLessThan(31 * 8 + 40)
  expect(meter.rowsWritten).toBe(0)
  // biome-ignore lint/suspicious/noConsole: quoted in docs/cost.md.
  console.log(`rows read by a scrape with 31 subscriptions: ${meter.rowsRead}`)
})
