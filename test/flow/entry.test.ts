import { createMessageBatch } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import * as entry from '../../src/index.ts'
import { handleQueue } from '../../src/queue.ts'
import { relayOf } from '../../src/relay.ts'
import { handleScheduled } from '../../src/scheduled.ts'
import { HeldQueue } from '../support/rig/held-queue.ts'

const UNCONFIGURED = relayOf({ ...env, ADMIN_KEY: '' } as unknown as Env)

test('the entry exports nothing by name that is no class: the platform would refuse it', () => {
  const others = Object.entries(entry).filter(([name]) => name !== 'default')
  expect(others.filter(([, value]) => typeof value !== 'function')).toEqual([])
})

test.each(['fetch', 'queue', 'scheduled'] as const)('the entry handles %s', (name) => {
  expect(entry.default[name]).toBeTypeOf('function')
})

test('a batch of an unknown queue is refused', async () => {
  const batch = createMessageBatch('somebody-elses', [
    { id: 'a', timestamp: new Date(), attempts: 1, body: 1 },
  ])
  await expect(handleQueue(relayOf(env), batch, () => undefined)).rejects.toThrow('somebody-elses')
})

test('a batch of an unknown queue acks nothing', async () => {
  const batch = createMessageBatch('somebody-elses', [
    { id: 'a', timestamp: new Date(), attempts: 1, body: 1 },
  ])
  const ended = new HeldQueue('', { nowMs: 0 }).watch(batch)
  await handleQueue(relayOf(env), batch, () => undefined).catch(() => undefined)
  expect(Object.fromEntries(ended)).toEqual({ a: [] })
})

test('an environment without its secrets is known as such', () => {
  expect(UNCONFIGURED).toMatchObject({ ok: false, message: expect.stringContaining('ADMIN_KEY') })
})

test('without a configuration a batch is put off whole', async () => {
  const batch = createMessageBatch('posthorn-deliveries', [
    { id: 'a', timestamp: new Date(), attempts: 1, body: '{}' },
    { id: 'b', timestamp: new Date(), attempts: 1, body: 'junk' },
  ])
  const retries: unknown[] = []
  batch.retryAll = (options) => void retries.push(options)
  await handleQueue(UNCONFIGURED, batch, () => undefined)
  expect(retries).toEqual([{ delaySeconds: 60 }])
})

test('without a configuration no message is acked', async () => {
  const batch = createMessageBatch('posthorn-deliveries', [
    { id: 'a', timestamp: new Date(), attempts: 1, body: 'junk' },
  ])
  const ended = new HeldQueue('', { nowMs: 0 }).watch(batch)
  await handleQueue(UNCONFIGURED, batch, () => undefined)
  expect(Object.fromEntries(ended)).toEqual({ a: [] })
})

test('without a configuration a sweep looks failed', async () => {
  const controller = { cron: '* * * * *', scheduledTime: 0, noRetry: () => undefined }
  await expect(handleScheduled(UNCONFIGURED, controller)).rejects.toThrow('ADMIN_KEY')
})
