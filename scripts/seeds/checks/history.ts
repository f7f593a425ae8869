import assert from 'node:assert/strict'
import type { Check } from '../row.ts'
import type { Json, LogRow, Scene } from '../scene.ts'

/** So many deliveries, of which every other one fails for good; their rows in the log, read with a query. */
export function deliveredAndFailed(
  count: number,
  see: (rows: readonly LogRow[]) => void,
  query = '?limit=10',
): Check {
  return async (scene) => {
    const { id } = await publishMixed(scene, count)
    const rows = await scene.ask<LogRow[]>('GET', `/webhooks/${id}/logs${query}`)
    see(rows)
    return `${rows.length} rows, newest first`
  }
}

/** Publishes events to a receiver that refuses the second half of them, and waits for their outcomes. */
async function publishMixed(scene: Scene, count: number): Promise<{ id: string }> {
  scene.answers({ status: 200, body: 'Event processed successfully' })
  const { id } = await scene.subscribe({ retryPolicy: { maxRetries: 0 } })
  const events = Array.from({ length: count }, (_, n) => ({ event: 'post.created', data: { n } }))
  await scene.publish({ events: events.slice(0, Math.ceil(count / 2)) })
  await settled(scene, id, Math.ceil(count / 2))
  scene.answers({ status: 500, body: 'Internal server error' })
  await scene.publish({ events: events.slice(Math.ceil(count / 2)) })
  await settled(scene, id, count)
  return { id }
}

async function settled(scene: Scene, id: string, count: number): Promise<void> {
  const isSo = (rows: LogRow[]) => rows.filter(({ attemptCount }) => attemptCount > 0).length >= count
  await scene.until<LogRow[]>(`/webhooks/${id}/logs?limit=500`, isSo)
}

/** A delivery that failed is retried by hand; one that succeeded is not. */
export const isRetried: Check = async (scene) => {
  scene.answers(500, 200)
  const { id } = await scene.subscribe({ retryPolicy: { maxRetries: 0 } })
  await scene.publish({ event: 'post.created', data: {} })
  const failed = await scene.outcome(id)
  assert.equal(failed.status, 'failed')
  await scene.ask('POST', `/deliveries/${failed.id}/retry`)
  assert.equal((await scene.outcome(id, 2)).status, 'success')
  assert.equal((await scene.call('POST', `/deliveries/${failed.id}/retry`)).status, 409)
  return 'failed, retried by hand, success; once more is 409'
}

/** The test call takes a bare payload, and says how it went. */
export function tests(payload: Json, settings: Json = { profile: 'core' }): Check {
  return async (scene) => {
    const { id } = await scene.subscribe(settings)
    const good = await scene.ask('POST', `/webhooks/${id}/test`, payload)
    assert.deepEqual([good['success'], good['statusCode'], good['error']], [true, 200, null])
    const body = JSON.parse(String((await scene.arrival()).body)) as { data: Json }
    assert.deepEqual(body.data, { object: payload['testData'] ?? payload })
    scene.answers(500)
    const bad = await scene.ask('POST', `/webhooks/${id}/test`, payload)
    assert.deepEqual([bad['success'], bad['statusCode'], bad['error']], [false, 500, 'http_status'])
    return 'success true and 200, then false and 500'
  }
}

/** Subscriptions are listed, switched off and on, and their deliveries read. */
export const isManaged: Check = async (scene) => {
  const { id } = await scene.subscribe()
  const listed = await scene.ask<Json[]>('GET', '/webhooks')
  assert.deepEqual(
    listed.map((each) => each['id']),
    [id],
  )
  for (const [active, matched] of [
    [false, 0],
    [true, 1],
  ] as const) {
    const changed = await scene.ask('PUT', `/webhooks/${id}`, { active })
    assert.equal(changed['active'], active)
    assert.equal((await scene.publish({ event: 'post.created', data: {} })).matched, matched)
  }
  assert.equal((await scene.outcome(id)).status, 'success')
  return 'listed, disabled, enabled, its delivery read'
}

/** Each subscription says why it did not get an event. */
export const saysWhy: Check = async (scene) => {
  const off = await scene.subscribe({ active: false })
  const other = await scene.subscribe({ events: ['posts.created'] })
  const filtered = await scene.subscribe({ filters: { status: 'published' } })
  const { id } = await scene.publish({ event: 'post.created', data: { status: 'draft' } })
  const rows = await scene.ask<Json[]>('GET', `/events/${id}/deliveries`)
  const reasonOf = (webhookId: string) => rows.find((row) => row['webhookId'] === webhookId)?.['reason']
  const reasons = [off, other, filtered].map((each) => reasonOf(each.id))
  assert.deepEqual(reasons, ['disabled', 'event_type_not_subscribed', 'refused_by_rules'])
  return reasons.join(', ')
}
