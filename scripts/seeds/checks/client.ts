import assert from 'node:assert/strict'
import {
  InvalidSignatureError,
  sign,
  verify,
  verifyOrThrow,
  verifySignature,
} from '../../../src/signature/index.ts'
import type { Check } from '../row.ts'
import { SECRET } from './signatures.ts'

const EVENT = { event: 'order.created', data: { order_id: 42, total: '99.99' } }

/** `posthorn/verify` gives what a delivery holds, and throws for one that was changed. */
export const verifiesOrThrows: Check = async (scene) => {
  await scene.subscribe({ profile: 'marko', secret: SECRET })
  await scene.publish(EVENT)
  const { body, headers } = await scene.arrival()
  const { event } = await verifyOrThrow({ body, headers, secret: SECRET, profile: 'marko' })
  assert.deepEqual(event, EVENT)
  const changed = { body: `${body} `, headers, secret: SECRET, profile: 'marko' } as const
  await assert.rejects(verifyOrThrow(changed), InvalidSignatureError)
  return 'verifyOrThrow gives event and data, and throws InvalidSignatureError'
}

/** `sign` makes what a receiver's test needs. */
export const signs: Check = async (scene) => {
  const body = JSON.stringify(EVENT)
  const headers = await sign({ body, secret: SECRET, profile: 'marko' })
  const { ok } = await verify({ body, headers, secret: SECRET, profile: 'marko' })
  assert.ok(ok)
  await scene.subscribe({ profile: 'marko', secret: SECRET })
  await scene.publish(body)
  assert.equal((await scene.arrival()).headers['x-webhook-signature'], headers['X-Webhook-Signature'])
  return `sign() gives ${headers['X-Webhook-Signature']?.slice(0, 15)}…, as the relay does`
}

/** `verifySignature(body, header, secret)` says true for a delivery, false for a changed one. */
export const verifiesSignature: Check = async (scene) => {
  await scene.subscribe({ profile: 'core', secret: SECRET })
  await scene.publish({ event: 'post.created', data: { id: 1 } })
  const { body, headers } = await scene.arrival()
  const signature = headers['x-webhook-signature'] ?? ''
  assert.deepEqual(
    [await verifySignature(body, signature, SECRET), await verifySignature(`${body} `, signature, SECRET)],
    [true, false],
  )
  return 'verifySignature: true, and false for a changed body'
}
