import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { waitUntil } from '../../../test/support/receivers/receiver.ts'
import { example } from '../examples.ts'
import type { Check } from '../row.ts'
import type { Json, Scene } from '../scene.ts'
import { type Handler, startExpress, startFlask, startPhp } from './programs.ts'
import { SECRET } from './signatures.ts'

const TEST = {
  event: 'invoice.created',
  testData: { invoiceId: 'inv_test_123', customerId: 'cust_test_456' },
}

/** Runs a seed's own receiver while something is tried with it. */
async function withHandler<T>(
  start: () => Promise<Handler>,
  run: (handler: Handler) => Promise<T>,
): Promise<T> {
  const handler = await start()
  try {
    return await run(handler)
  } finally {
    await handler.stop()
  }
}

/** A subscription's delivery of an event is handled, and answered 2xx. */
async function handles(scene: Scene, handler: Handler, settings: Json, event: string): Promise<string> {
  const { id } = await scene.subscribe({ url: handler.url, secret: SECRET, ...settings })
  await scene.publish(event)
  const row = await scene.outcome(id)
  assert.equal(row.status, 'success', JSON.stringify(row))
  assert.ok(await waitUntil(() => handler.handled().length > 0, 5_000), 'nothing was handled')
  return `${row.responseCode} ${String(row['responseBody']).slice(0, 30)}; it handled ${handler.handled()[0]?.slice(0, 60)}`
}

/** The test call with seed 002's body is answered 200, and so is one of the type that the handler reads. */
async function isTested(scene: Scene, handler: Handler): Promise<string> {
  const { id } = await scene.subscribe({ url: handler.url, secret: SECRET, events: ['invoice.created'] })
  for (const body of [TEST, { ...TEST, event: 'invoice.paid' }]) {
    const data = await scene.ask('POST', `/webhooks/${id}/test`, body)
    assert.deepEqual([data['success'], data['statusCode']], [true, 200], JSON.stringify(data))
  }
  assert.ok(await waitUntil(() => handler.handled().some((line) => line.includes('inv_test_123')), 5_000))
  return 'the test call is answered 200, and data.object is the testData'
}

const EXPRESS_001 = () => startExpress('seed-001.js', /^const express.*/ms, '/webhooks')
const EXPRESS_002 = () => startExpress('seed-002.js', /^const crypto.*?^}\);$/ms, '/webhooks/bigledger')

/** Seed 001's route on Express takes a delivery. */
export const core001: Check = async (scene) =>
  await withHandler(EXPRESS_001, (handler) =>
    handles(scene, handler, { profile: 'core' }, example.event('001-post.created')),
  )

/** Seed 002's handlers take a delivery, and the test call. */
export const express002: Check = async (scene) =>
  await withHandler(EXPRESS_002, (handler) => handles(scene, handler, {}, example.event('002-invoice.paid')))
export const flask002: Check = async (scene) =>
  await withHandler(startFlask, (handler) => handles(scene, handler, {}, example.event('002-invoice.paid')))
export const php002: Check = (scene) =>
  inPhp((handler) => handles(scene, handler, {}, example.event('002-invoice.paid')))
export const flaskTested: Check = async (scene) =>
  await withHandler(startFlask, (handler) => isTested(scene, handler))
export const phpTested: Check = (scene) => inPhp((handler) => isTested(scene, handler))

async function inPhp<T>(run: (handler: Handler) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), 'posthorn-seeds-php-'))
  try {
    return await withHandler(() => startPhp(folder), run)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
