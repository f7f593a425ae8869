import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { changeSubscription, createSubscription } from '../../../src/pipeline/subscribe.ts'
import { answer, createRig } from '../../support/builders.ts'

const SECRETS = {
  secret: 'the-signing-secret-of-acme',
  later: 'the-second-secret-of-acme',
  header: 'header-credential-of-acme',
}

/** Every text in every table of D1. */
async function textsInD1(): Promise<string> {
  const tables = await env.DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'",
  ).all<{ name: string }>()
  const rows = await Promise.all(
    tables.results.map(({ name }) => env.DB.prepare(`SELECT * FROM "${name}"`).all()),
  )
  return JSON.stringify(rows.map(({ results }) => results))
}

/** A subscription that was created, used, changed and used again, with failures on the way. */
async function used() {
  const rig = await createRig()
  const { vault } = rig.relay
  const rules = { allowPrivate: true, ownHostnames: [] }
  const deps = { db: env.DB, vault, now: () => rig.clock.nowMs, rules }
  const url = 'https://acme.example.com/hooks'
  const headers = { 'X-Api-Key': SECRETS.header }
  const input = { url, events: ['*'], secret: SECRETS.secret, headers }
  const created = await createSubscription(deps, rig.workspace, input)
  if (created.kind !== 'created') throw new Error('not created')
  rig.receivers.set(url, answer(500))
  await rig.publish({})
  await rig.drain()
  await changeSubscription(deps, rig.workspace, created.subscription.id, { secret: SECRETS.later })
  rig.receivers.clear()
  rig.clock.nowMs += 60_000
  await rig.sweep()
  await rig.drain()
  return rig
}

test.each(Object.entries(SECRETS))('the %s of a subscription is nowhere plain in D1', async (_, secret) => {
  await used()
  const texts = await textsInD1()
  expect([texts.includes('acme.example.com'), texts.includes(secret), texts.includes(btoa(secret))]).toEqual([
    true,
    false,
    false,
  ])
})

test.each(Object.entries(SECRETS))('the %s of a subscription is in no log line', async (_, secret) => {
  const { logged } = await used()
  expect([logged.length > 0, JSON.stringify(logged).includes(secret)]).toEqual([true, false])
})

test('the credentials in custom headers reach their receiver', async () => {
  const { posts } = await used()
  expect(new Set(posts.map(({ headers }) => headers.get('X-Api-Key')))).toEqual(new Set([SECRETS.header]))
})
