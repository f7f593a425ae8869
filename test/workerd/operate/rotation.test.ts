import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { createVault } from '../../../src/base/secret/vault.ts'
import { sealHeaders } from '../../../src/destination/sealed.ts'
import { SEALED_TABLES } from '../../../src/operate/rotation/seals.sql.ts'
import { expectRefusal } from '../../support/process/http-client.ts'
import { freshStore } from '../../support/rig/builders.ts'
import type { Around } from '../../support/rig/d1-watch.ts'
import {
  expectOpens,
  fill,
  idOf,
  isolate,
  keysAtRest,
  NEW_KEY,
  OLD_KEY,
  type Rotation,
  rotate,
  WORKSPACE,
  withBoth,
  withNew,
  withOld,
} from '../../support/seals/key-rotation.ts'
import { sealOfVersion } from '../../support/seals/old-seals.ts'

beforeEach(freshStore)

test('everything that is sealed in the database is visited', async () => {
  const { results } = await env.DB.prepare("SELECT sql FROM sqlite_master WHERE type = 'table'").all<{
    sql: string
  }>()
  const sealed = results.flatMap(({ sql }) => [...sql.matchAll(/\b(\w*(?:cipher|sealed)\w*) TEXT/g)])
  const visited = SEALED_TABLES.flatMap(({ columns }) => Object.keys(columns))
  expect(sealed.map(([, column]) => column).sort()).toEqual(
    ['sealed', ...visited.filter((column) => column !== 'headers_cipher')].sort(),
  )
})

test('once it is completed, everything is sealed under the new key, which alone opens it', async () => {
  const filled = await fill(withOld())
  expect(await keysAtRest()).toEqual([await idOf(OLD_KEY)])
  expectRefusal(await withNew().get('/webhooks'), 503, 'unavailable')
  const steps = await rotate(withBoth())
  expect(steps.map(({ previousKeyMayGo }) => previousKeyMayGo)).toEqual(
    steps.map((_, n) => n === steps.length - 1),
  )
  expect(steps.at(-1)).toMatchObject({ walk: 2, percent: 100, resealed: 9, unreadableCount: 0 })
  expect(await keysAtRest()).toEqual([await idOf(NEW_KEY)])
  await expectOpens(withNew(), filled)
  expectRefusal(await withOld().get('/webhooks'), 503, 'unavailable')
  expect((await withNew().get<Rotation>('/key-rotation')).data).toMatchObject({ previousKeyMayGo: true })
})

test('a rotation may be taken back', async () => {
  const filled = await fill(withOld())
  await rotate(withBoth())
  await rotate(isolate({ key: OLD_KEY, previous: NEW_KEY }))
  await expectOpens(withOld(), filled)
})

test('before the keys change places, an isolate that only opens with the new one reads what others seal under it', async () => {
  const filled = await fill(withOld())
  const early = isolate({ key: OLD_KEY, previous: NEW_KEY })
  await expectOpens(early, filled)
  const { id } = await withBoth().subscribe({ secret: 'a-secret-under-the-new-key' })
  expect((await early.get(`/webhooks/${id}/secret`)).data['secret']).toBe('a-secret-under-the-new-key')
})

describe('a rotation that is killed', () => {
  /** Lets so many round trips to the database pass, and no more. */
  const killedAfter = (calls: number): Around => {
    let left = calls
    return async (_, run) => {
      if (left-- <= 0) throw new Error('killed')
      return await run()
    }
  }

  test.each(['before', 'after'])('%s any of its writes is taken up where it was', async (mode) => {
    const filled = await fill(withOld())
    for (let calls = 1; calls <= 40; calls++) {
      const limited = mode === 'before' ? killedAfter(calls) : losingAnswer(calls)
      const step = await withBoth(limited).post<Rotation>('/key-rotation')
      // 503 where all but the row of the audit log was written.
      expect([200, 500, 503]).toContain(step.status)
      await expectOpens(withBoth(), filled)
    }
    await rotate(withBoth())
    expect(await keysAtRest()).toEqual([await idOf(NEW_KEY)])
    await expectOpens(withNew(), filled)
  })

  /** Lets so many round trips pass; the next takes effect, and nothing is heard of it. */
  const losingAnswer = (calls: number): Around => {
    let left = calls
    return async (_, run) => {
      if (left < 0) throw new Error('killed')
      const results = await run()
      if (left-- === 0) throw new Error('killed')
      return results
    }
  }
})

describe('a secret that is changed while it is sealed anew', () => {
  const change = { secret: 'the-changed-secret-of-acme' }
  /** Runs `work` before the statements that write seals. */
  const beforeWrites = (work: () => Promise<unknown>): Around => {
    let isDone = false
    return async ({ sql }, run) => {
      if (!isDone && sql.some((text) => text.startsWith('UPDATE subscription SET secret_cipher'))) {
        isDone = true
        await work()
      }
      return await run()
    }
  }

  test.each([
    ['under the new key', withBoth],
    ['by an isolate that has the old key only', withOld],
  ])('%s is not lost', async (_, isolateOf) => {
    const filled = await fill(withOld())
    const patch = async () => {
      const answer = await isolateOf().call('PATCH', `/webhooks/${filled.plain.id}`, { json: change })
      expect(answer.status, answer.text).toBe(200)
    }
    await rotate(withBoth(beforeWrites(patch)))
    expect(await keysAtRest()).toEqual([await idOf(NEW_KEY)])
    const { data } = await withNew().get<{ secret: string }>(`/webhooks/${filled.plain.id}/secret`)
    expect(data.secret).toBe(change.secret)
  })

  test('takes the other secrets of its row along to the new key', async () => {
    const { rich } = await fill(withOld())
    const changed = await withBoth().call('PATCH', `/webhooks/${rich.id}`, {
      json: { description: 'changed' },
    })
    expect(changed.status, changed.text).toBe(200)
    const row = await env.DB.prepare(
      `SELECT secret_cipher, previous_secret_cipher, auth_cipher, signing_keys_cipher, config ->> '$.headersCipher' AS headers FROM subscription WHERE id = ?1`,
    )
      .bind(rich.id)
      .first<Record<string, string>>()
    const newId = await idOf(NEW_KEY)
    for (const sealed of Object.values(row ?? {})) expect(sealed.slice(0, newId.length)).toBe(newId)
  })
})

test('what is sealed under the old key meanwhile keeps that key needed, and is found by another walk', async () => {
  const { plain } = await fill(withOld())
  const late = withOld()
  let changes = 0
  const change = async () => {
    const json = { secret: `the-secret-number-${changes++}` }
    const { status } = await late.call('PATCH', `/webhooks/${plain.id}`, { json })
    expect(status).toBe(200)
  }
  // An isolate that has not heard of the change yet goes on through two walks.
  const around: Around = async ({ sql }, run) => {
    const results = await run()
    if (sql[0]?.includes('max(rowid)') === true && changes < 12) await change()
    return results
  }
  await late.get('/webhooks')
  const steps = await rotate(withBoth(around))
  expect(steps.at(-1)?.walk).toBeGreaterThan(2)
  expect(await keysAtRest()).toEqual([await idOf(NEW_KEY)])
})

test('a database from before keys had ids is opened, and sealed anew with its key alone or with another', async () => {
  const { plain } = await fill(withOld())
  const owner = { workspaceId: WORKSPACE, id: plain.id }
  const write = async (secret: string, check: string) => {
    await env.DB.batch([
      env.DB.prepare('UPDATE subscription SET secret_cipher = ?2 WHERE id = ?1').bind(plain.id, secret),
      env.DB.prepare('UPDATE key_check SET sealed = ?1').bind(check),
    ])
  }
  const check = await sealOfVersion(
    'v2',
    { workspaceId: '', id: 'key-check' },
    { field: 'check', plain: 'posthorn' },
  )
  const first = await sealOfVersion('v1', owner, { field: 'secret', plain: 'of-the-first-version' })
  await write(first, check)
  await rotate(withOld())
  expect(await keysAtRest()).toEqual([await idOf(OLD_KEY)])
  const second = await sealOfVersion('v2', owner, { field: 'secret', plain: 'of-the-second-version' })
  await write(second, check)
  await rotate(withBoth())
  const { data } = await withNew().get<{ secret: string }>(`/webhooks/${plain.id}/secret`)
  expect(data.secret).toBe('of-the-second-version')
})

test('what no key opens is named and left as it is, and does not hold the rotation up', async () => {
  const { plain } = await fill(withOld())
  const owner = { workspaceId: WORKSPACE, id: plain.id }
  const lost = createVault(btoa('a-key-that-was-lost-long-ago-000'))
  const headers = await sealHeaders(lost, owner, { 'X-Lost': 'lost' })
  await env.DB.prepare(
    "UPDATE subscription SET config = json_set(config, '$.headersCipher', ?2) WHERE id = ?1",
  )
    .bind(plain.id, headers)
    .run()
  const steps = await rotate(withBoth())
  expect(steps.flatMap(({ unreadable }) => unreadable)[0]).toEqual({ ...owner, field: 'headers' })
  expect(steps.at(-1)).toMatchObject({ unreadableCount: 1, previousKeyMayGo: true })
})

test('a dispatch that is sent again finds its target from before the change of keys', async () => {
  const body = {
    url: 'https://receiver.example.com/hooks',
    secret: 'the-dispatch-secret-of-acme',
    ...{ id: 'sent-once', event: 'a.b', data: {} },
  }
  const first = await withOld().post('/dispatch', body)
  expect(first.status, first.text).toBe(202)
  await rotate(withBoth())
  const again = await withBoth().post('/dispatch', body)
  expect([again.status, again.data['id']]).toEqual([first.status, first.data['id']])
  const { results } = await env.DB.prepare('SELECT no FROM subscription WHERE kind = 1').all()
  expect(results).toHaveLength(1)
})
