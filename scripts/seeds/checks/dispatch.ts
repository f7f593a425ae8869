import assert from 'node:assert/strict'
import type { Check } from '../row.ts'
import type { Json, LogRow, Scene } from '../scene.ts'
import { SECRET } from './signatures.ts'

/** One call to a URL without a subscription, answered like this, and delivered. */
export function dispatched(options: Json, see: (data: Json) => void): Check {
  return async (scene) => {
    scene.answers({ status: 201, body: 'made' })
    const payload = { event: 'order.created', data: { order_id: 42, total: '99.99' } }
    const target = { url: scene.url(), secret: SECRET, profile: 'marko' }
    const data = await scene.ask('POST', '/dispatch', { ...target, ...payload, ...options })
    see(data)
    assert.equal(String((await scene.arrival()).body), JSON.stringify(payload))
    return `status ${data['status']}, and delivered`
  }
}

type SeeAttempts = (list: Json[], scene: { url: () => string }, row: LogRow) => void

/** The attempts of a delivery that failed once and then succeeded. */
export function attempts(see: SeeAttempts): Check {
  return async (scene: Scene) => {
    scene.answers({ status: 500, body: 'no' }, { status: 200, body: 'yes' })
    const { id } = await scene.subscribe({ retryPolicy: { schedule: [1] } })
    await scene.publish({ event: 'order.created', data: { order_id: 42 } })
    const row = await scene.outcome(id, 2)
    see(row.attempts, { url: () => scene.url() }, row)
    return `${row.attempts.length} attempts, ${row.status}`
  }
}
