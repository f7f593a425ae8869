import assert from 'node:assert/strict'
import type { Check } from '../row.ts'
import { bodyOf, type Json, type LogRow, type Scene } from '../scene.ts'

/** One delivery that succeeded and one that failed for now, as in the seed's log. */
async function logged(scene: Scene): Promise<string> {
  scene.answers({ status: 200, body: 'Event processed successfully' })
  const { id } = await scene.subscribe({ profile: 'bigledger' })
  await scene.publish({ event: 'invoice.paid', data: {} })
  await scene.outcome(id)
  scene.answers({ status: 500, body: 'Internal server error' })
  await scene.publish({ event: 'payment.received', data: {} })
  await scene.outcome(id)
  await scene.until<LogRow[]>(`/webhooks/${id}/logs`, (rows) =>
    rows.every(({ attemptCount }) => attemptCount > 0),
  )
  return id
}

/** A filter of the log gives so many of two rows. */
export function logFilters(query: string, count: number): Check {
  return async (scene) => {
    const id = await logged(scene)
    const rows = await scene.ask<LogRow[]>('GET', `/webhooks/${id}/logs?${query}`)
    assert.equal(rows.length, count)
    return `${rows.length} of 2 rows`
  }
}

/** Both rows have all members of the seed's. */
export const logRow: Check = async (scene) => {
  const id = await logged(scene)
  const [failed, success] = await scene.ask<LogRow[]>('GET', `/webhooks/${id}/logs`)
  assert.partialDeepStrictEqual(success, {
    ...{ event: 'invoice.paid', responseCode: 200, responseBody: 'Event processed successfully' },
    ...{ retryCount: 0, status: 'success' },
  })
  assert.partialDeepStrictEqual(failed, {
    ...{
      event: 'payment.received',
      responseCode: 500,
      responseBody: 'Internal server error',
      status: 'failed',
    },
  })
  assert.ok(failed?.nextRetryAt)
  for (const row of [failed, success]) {
    assert.match(`${row?.id} ${row?.eventId} ${row?.['deliveredAt']}`, /^log_\w+ evt_\w+ \d{4}-\d\d-\d\dT/)
    assert.equal(typeof row?.['responseTime'], 'number')
  }
  return 'all ten members, of a success and of a failure'
}

/** One event goes to every subscription. */
export function broadcasts(count: number): Check {
  return async (scene) => {
    const made = Array.from({ length: count }, (_, n) => scene.subscribe({ url: scene.url(`/${n}`) }))
    await Promise.all(made)
    const { matched } = await scene.publish({ event: 'sales_order.created', data: {} })
    assert.equal(matched, count)
    for (let n = 0; n < count; n++) await scene.arrival(1, `/${n}`)
    return `${count} receivers got it`
  }
}

/** A preview shows what would be sent, and which rule refuses. */
export const previews: Check = async (scene) => {
  const { id } = await scene.subscribe({
    filters: ['order.total > 100'],
    transform: { template: { total: '{{ order.total }}' } },
  })
  const preview = async (total: number) =>
    await scene.ask('POST', `/webhooks/${id}/preview`, {
      event: 'sales_order.created',
      data: { object: { total } },
    })
  const [small, large] = [await preview(99), await preview(185)]
  assert.deepEqual([small['matches'], small['reason'], large['matches']], [false, 'refused_by_rules', true])
  assert.deepEqual(JSON.parse(String((large['request'] as Json)['body'])), { total: 185 })
  assert.equal(scene.requests().length, 0)
  return 'the request, or the rule that refuses; nothing was sent'
}

/** Deliveries of a long log are there with their times. */
export const keepsHistory: Check = async (scene) => {
  await scene.subscribe()
  const { retentionDays: days } = await scene.ask('GET', `/workspaces/${scene.workspace}`)
  assert.equal(days, 90)
  return `kept for ${days} days`
}

/** The receiver's health is told, and its breaker. */
export const tellsHealth: Check = async (scene) => {
  scene.answers(500)
  const { id } = await scene.subscribe({ retryPolicy: { schedule: [1, 1] } })
  await scene.publish({ event: 'a.b', data: {} })
  await scene.outcome(id, 2)
  const { failing, breaker } = await scene.until<Json>(`/webhooks/${id}`, (data) => data['failing'] !== null)
  assert.equal((breaker as Json)['state'], 'closed')
  const status = await scene.ask('GET', '/status')
  assert.ok(Object.keys(status).length > 0)
  return `failing since ${(failing as Json)['since']}, breaker ${(breaker as Json)['state']}`
}

/** A body of 10 MiB is taken and arrives. */
export const takesTenMegabytes: Check = async (scene) => {
  await scene.subscribe({ timeoutSeconds: 30 })
  const head = '{"event":"report.generated","data":{"text":"'
  const text = `${head}${'x'.repeat(10_485_760 - head.length - 3)}"}}`
  assert.equal(Buffer.byteLength(text), 10_485_760)
  await scene.publish(text)
  const got = await scene.arrival()
  assert.equal(((bodyOf(got)['data'] as Json)['text'] as string).length, 10_485_760 - head.length - 3)
  return `${got.body.length} bytes delivered`
}
