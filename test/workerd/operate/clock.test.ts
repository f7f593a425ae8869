import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { answer, createRig, freshStore } from '../../support/rig/builders.ts'
import { deliverMany, openBreaker } from '../../support/rig/receiver-state.ts'

beforeEach(freshStore)

const HOUR_MS = 3_600_000

describe('a clock that was set back by an hour', () => {
  test('leaves a breaker open for as long as it would have been', async () => {
    const rig = await createRig()
    const subscription = await openBreaker(rig)
    await rig.sweep()
    await deliverMany(rig, 5)
    const before = rig.postsTo(subscription).length
    rig.receivers.set(subscription.settings.url, answer(200))
    rig.clock.nowMs -= HOUR_MS
    await rig.sweep()
    for (let minute = 0; minute < 3; minute++) {
      rig.clock.nowMs += 60_000
      await rig.sweep()
      await rig.drain()
    }
    expect(rig.postsTo(subscription).length).toBeGreaterThan(before)
  })

  test('leaves a Retry-After of ten minutes what is left of it', async () => {
    const rig = await createRig()
    const { no } = await rig.subscribe()
    await rig.sweep()
    await env.DB.prepare('UPDATE subscription SET throttled_until_ms = ?1')
      .bind(rig.clock.nowMs + 600_000)
      .run()
    rig.clock.nowMs -= HOUR_MS
    await rig.sweep()
    const untilMs = await env.DB.prepare('SELECT throttled_until_ms AS ms FROM subscription WHERE no = ?1')
      .bind(no)
      .first<number>('ms')
    expect(untilMs).toBe(rig.clock.nowMs + 600_000)
  })

  test('leaves a retry its delay, and a scheduled event its time', async () => {
    const rig = await createRig()
    const { no, settings } = await rig.subscribe({ retryPolicy: { schedule: [300, 7200] } })
    rig.receivers.set(settings.url, answer(404))
    await rig.publish({})
    await rig.drain()
    const deliverAtMs = rig.clock.nowMs + 600_000
    await rig.publish({ deliverAtMs })
    await rig.drain()
    await rig.sweep()
    rig.clock.nowMs -= HOUR_MS
    await rig.sweep()
    const rows = await env.DB.prepare(
      'SELECT due_at_ms AS ms FROM delivery WHERE subscription_no = ?1 ORDER BY seq',
    )
      .bind(no)
      .all<{ ms: number }>()
    expect(rows.results.map(({ ms }) => ms)).toEqual([rig.clock.nowMs + 300_000, deliverAtMs])
  })

  test('frees the deliveries of a consumer that died within minutes', async () => {
    const rig = await createRig()
    await rig.subscribe()
    await rig.sweep()
    const expiresAtMs = rig.clock.nowMs + 90_000
    await env.DB.prepare(`INSERT INTO claim (id, expires_at_ms, pairs) VALUES ('dead', ?1, '[]')`)
      .bind(expiresAtMs)
      .run()
    rig.clock.nowMs -= HOUR_MS
    await rig.sweep()
    rig.clock.nowMs += 120_000
    await rig.sweep()
    const live = await env.DB.prepare('SELECT count(*) AS n FROM claim WHERE live = 1').first<number>('n')
    expect(live).toBe(0)
  })

  test('is noticed once: the sweep after it changes nothing more', async () => {
    const rig = await createRig()
    const { no } = await rig.subscribe()
    await rig.sweep()
    rig.clock.nowMs -= HOUR_MS
    await rig.sweep()
    await env.DB.prepare('UPDATE subscription SET throttled_until_ms = ?1')
      .bind(rig.clock.nowMs + 86_400_000)
      .run()
    await rig.sweep()
    const untilMs = await env.DB.prepare('SELECT throttled_until_ms AS ms FROM subscription WHERE no = ?1')
      .bind(no)
      .first<number>('ms')
    expect(untilMs).toBe(rig.clock.nowMs + 86_400_000)
  })
})
