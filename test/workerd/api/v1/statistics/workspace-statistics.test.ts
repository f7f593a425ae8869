import { describe, expect, test } from 'vitest'
import { HOUR_MS } from '../../../../../src/base/time.ts'
import { expectInvalid } from '../../../../support/process/http-client.ts'
import { answer, createRig, START_MS } from '../../../../support/rig/builders.ts'
import { clientOf, deliver } from '../../../../support/rig/rig-client.ts'

type Figures = { delivered: number; failed: number; successRate: number | null; attempts: number }
type Statistics = {
  from: string
  to: string
  interval: string
  totals: Figures & { events: number }
  backlog: Record<'pending' | 'due' | 'held', { count: number; isMinimum: boolean }> & {
    oldestDueAt: string | null
  }
  subscriptions: Record<string, number>
  attention: {
    kind: string
    webhookId: string | null
    since: string | null
    summary: string
    nextStep: string
  }[]
  timeSeries: (Figures & { at: string; events: number })[]
  webhooks: (Figures & { webhookId: string })[]
  eventTypes: { event: string; events: number; matched: number }[]
}

/** A workspace whose receivers have delivered two of three events and failed one for good. */
async function workspace() {
  const rig = await createRig()
  const client = clientOf(rig)
  const good = await rig.subscribe({ events: ['*'] })
  const bad = await rig.subscribe({ events: ['order.*'], retryPolicy: { schedule: [] } })
  rig.receivers.set(bad.settings.url, answer(404))
  await rig.publish({ type: 'invoice.paid' }, { type: 'order.made' }, { type: 'invoice.paid' })
  await rig.drain()
  const read = async (query = '') => {
    const { status, text, data } = await client.get<Statistics>(`/statistics${query}`)
    expect(status, text).toBe(200)
    return data
  }
  /** Lets an hour pass, and a sweep after it. */
  const pass = async (hours: number) => {
    rig.clock.nowMs += hours * HOUR_MS
    await rig.sweep()
  }
  return { rig, client, good, bad, read, pass }
}

describe('GET /statistics', () => {
  test('adds up events and deliveries, before a sweep and after it', async () => {
    const { rig, read, good, bad, pass } = await workspace()
    for (const when of ['before', 'after', 'after another']) {
      const { totals, eventTypes, webhooks } = await read()
      expect(totals, when).toMatchObject({ events: 3, delivered: 3, failed: 1, successRate: 75 })
      expect(eventTypes, when).toEqual([
        { event: 'invoice.paid', events: 2, matched: 2 },
        { event: 'order.made', events: 1, matched: 2 },
      ])
      expect(webhooks, when).toMatchObject([
        { webhookId: bad.id, delivered: 0, failed: 1 },
        { webhookId: good.id, delivered: 3, failed: 0 },
      ])
      rig.clock.nowMs += 60_000
      await pass(0)
    }
  })

  test('has a series by hour, whose hours are kept apart also once they are over', async () => {
    const { rig, read, pass } = await workspace()
    await pass(1)
    await rig.publish({ type: 'invoice.paid' })
    await rig.drain()
    await pass(1)
    await rig.publish({ type: 'order.made' })
    await pass(1)
    const { timeSeries, totals } = await read()
    const hour = (n: number) => new Date(START_MS + n * HOUR_MS).toISOString()
    expect(timeSeries.map(({ at, events, delivered }) => [at, events, delivered])).toEqual([
      [hour(0), 3, 3],
      [hour(1), 1, 1],
      [hour(2), 1, 0],
    ])
    expect(totals.events).toBe(5)
    expect((await read('?window=1h')).totals.events).toBe(1)
  })

  test('adds days up for 90 days, and for other windows where it is asked to', async () => {
    const { rig, read, pass } = await workspace()
    await pass(30)
    await rig.publish({ type: 'invoice.paid' })
    await rig.drain()
    await pass(1)
    const days = [
      ['2026-11-02T00:00:00.000Z', 3],
      ['2026-11-03T00:00:00.000Z', 1],
    ]
    for (const query of ['?window=90d', '?window=7d&interval=day']) {
      const { timeSeries, interval } = await read(query)
      expect([interval, timeSeries.map(({ at, events }) => [at, events])]).toEqual(['day', days])
    }
  })

  test('does not count test events', async () => {
    const { client, rig, good, read } = await workspace()
    const tested = client.post(`/webhooks/${good.id}/test`)
    await deliver(rig)
    await tested
    rig.clock.nowMs += 60_000
    await rig.sweep()
    expect((await read()).totals.events).toBe(3)
  })

  test('says what waits, and since when', async () => {
    const { client, rig, read, good } = await workspace()
    await client.post(`/webhooks/${good.id}/pause`)
    const late = await rig.subscribe({ events: ['late'], retryPolicy: { schedule: [60] } })
    rig.receivers.set(late.settings.url, answer(404))
    await rig.publish({ type: 'late' })
    await rig.drain()
    const before = (await read()).backlog
    expect(before).toMatchObject({ due: { count: 0 }, oldestDueAt: null })
    expect(before.pending.count).toBe(2)
    const dueMs = rig.clock.nowMs + 60_000
    rig.clock.nowMs += 120_000
    const { backlog } = await read()
    expect(backlog).toMatchObject({ due: { count: 1, isMinimum: false }, held: { count: 1 } })
    expect(backlog.oldestDueAt).toBe(new Date(dueMs).toISOString())
  })

  test('names what a person has to see to, with its next step', async () => {
    const { client, rig, read } = await workspace()
    const gone = await rig.subscribe({ events: ['gone'] })
    rig.receivers.set(gone.settings.url, answer(410))
    const failing = await rig.subscribe({ events: ['fails'], retryPolicy: { schedule: [] } })
    rig.receivers.set(failing.settings.url, answer(404))
    const manual = await rig.subscribe({ events: ['none'] })
    await client.post(`/webhooks/${manual.id}/disable`)
    await rig.publish({ type: 'gone' }, { type: 'fails' }, { type: 'fails' }, { type: 'fails' })
    await rig.drain()
    const { attention, subscriptions } = await read()
    expect(attention.map(({ kind, webhookId }) => [kind, webhookId])).toEqual([
      ['disabled', gone.id],
      ['failing', failing.id],
    ])
    expect(attention[0]?.summary).toMatch(/410/)
    expect(attention[1]?.summary).toMatch(/3 attempts without a success/)
    for (const { nextStep } of attention) expect(nextStep).toMatch(/\.$/)
    expect(subscriptions).toMatchObject({ disabled: 2, failing: 2, healthy: 1, paused: 0 })
  })

  test('shows nothing of another workspace', async () => {
    await workspace()
    const rig = await createRig()
    const { data } = await clientOf(rig).get<Statistics>('/statistics')
    expect(data).toMatchObject({
      totals: { events: 0, delivered: 0 },
      attention: [],
      webhooks: [],
      eventTypes: [],
    })
  })

  test.each([
    ['window', '2h', /24h/],
    ['interval', 'week', /day/],
  ])('refuses %s=%s', async (name, value, message) => {
    const { client } = await workspace()
    expectInvalid(await client.get(`/statistics?${name}=${value}`), name, message)
  })
})
