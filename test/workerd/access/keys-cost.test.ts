import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { makeApiKey } from '../../../src/access/api-key.ts'
import { RELAY_CHAIN } from '../../../src/audit/entry.ts'
import { appOf, Client, expectRefusal } from '../../support/process/http-client.ts'
import { clientWith, type ShownKey } from '../../support/process/keys.ts'
import { createRig, freshStore } from '../../support/rig/builders.ts'
import { type Meter, meterD1 } from '../../support/rig/d1-watch.ts'

beforeEach(freshStore)

const event = { event: 'a', data: {} }
const MANY_KEYS = 40

/** A relay of its own with its database metered, and clients that reach it with both kinds of key. */
async function metered() {
  const { db, meter } = meterD1(env.DB)
  const { relay, workspace } = await createRig({ db })
  // The first refusals of a minute have rows in the audit log, which its own tests are about.
  for (const chain of [RELAY_CHAIN, workspace]) {
    const { refusals } = relay.audit
    while (refusals.take(chain, relay.now()) !== null);
    for (let n = 0; refusals.takeFailedKey(chain, `${chain} ${n}`, relay.now()) !== null; n++);
  }
  const target = appOf(() => ({ ok: true, relay }))
  const operator = new Client(workspace, { target })
  const user = await clientWith(operator, { role: 'integration-administrator' }, { target })
  return { meter, target, operator, user, workspace }
}

async function costOf(meter: Meter, work: () => Promise<unknown>): Promise<Meter> {
  const before = { ...meter }
  await work()
  const { rowsRead, rowsWritten, calls } = meter
  return {
    rowsRead: rowsRead - before.rowsRead,
    rowsWritten: rowsWritten - before.rowsWritten,
    calls: calls - before.calls,
  }
}

const accepted = async (client: Client) => {
  expect((await client.post('/events', event)).status).toBe(202)
}

describe('a publish by a key', () => {
  test('costs what one by the admin key costs', async () => {
    const { meter, operator, user } = await metered()
    for (const client of [operator, user, operator, user]) await accepted(client)
    const byOperator = await costOf(meter, () => accepted(operator))
    const byKey = await costOf(meter, () => accepted(user))
    expect(byKey).toEqual(byOperator)
    expect(byKey.calls).toBe(1)
  })

  test('costs that however many keys the workspace has', async () => {
    const { meter, operator, user } = await metered()
    for (let n = 0; n < MANY_KEYS; n++) await clientWith(operator, { role: 'viewer' })
    for (const client of [operator, user]) await accepted(client)
    expect(await costOf(meter, () => accepted(user))).toEqual(await costOf(meter, () => accepted(operator)))
  })

  test('on an isolate that does not know it costs one read of one key more', async () => {
    const { meter, operator, user, workspace } = await metered()
    const fresh = async (key: string | null) => {
      const { db, meter: own } = meterD1(env.DB)
      const { relay } = await createRig({ db, workspace })
      const target = appOf(() => ({ ok: true, relay }))
      await accepted(new Client(workspace, key === null ? { target } : { target, key }))
      return own
    }
    await accepted(operator)
    await accepted(user)
    const [byOperator, byKey] = [await fresh(null), await fresh(user.shown.key)]
    expect(byKey.calls - byOperator.calls).toBe(1)
    expect(byKey.rowsRead - byOperator.rowsRead).toBeLessThanOrEqual(4)
    expect(meter.calls).toBeGreaterThan(0)
  })

  test('records its use once an hour', async () => {
    const { meter, user } = await metered()
    const first = await costOf(meter, () => accepted(user))
    const second = await costOf(meter, () => accepted(user))
    expect(first.rowsWritten - second.rowsWritten).toBe(1)
    expect(await costOf(meter, () => accepted(user))).toEqual(second)
  })
})

test('any other call reads the key, and no more', async () => {
  const { meter, operator, user } = await metered()
  await user.get('/webhooks')
  const byOperator = await costOf(meter, () => operator.get('/webhooks'))
  const byKey = await costOf(meter, () => user.get('/webhooks'))
  expect(byKey.calls - byOperator.calls).toBe(1)
  expect(byKey.rowsWritten).toBe(0)
  expect(byKey.rowsRead - byOperator.rowsRead).toBeLessThanOrEqual(4)
})

describe('a wrong key', () => {
  const paths = ['/events', '/webhooks']

  test.each(paths)('whose id no key has costs POST %s one read at most, each time', async (path) => {
    const { meter, target, workspace } = await metered()
    for (let n = 0; n < 3; n++) {
      const stranger = new Client(workspace, { target, key: makeApiKey().text })
      const cost = await costOf(meter, async () => {
        expectRefusal(await stranger.post(path, event), 401, 'unauthorized')
      })
      expect(cost).toMatchObject({ calls: 1, rowsWritten: 0 })
      expect(cost.rowsRead).toBeLessThanOrEqual(1)
    }
  })

  test.each(paths)('with the id of another costs POST %s one read at most', async (path) => {
    const { meter, target, user, workspace } = await metered()
    await accepted(user)
    const guess = new Client(workspace, { target, key: makeApiKey({ id: user.shown.id }).text })
    const cost = await costOf(meter, async () => {
      expectRefusal(await guess.post(path, event), 401, 'unauthorized')
    })
    expect(cost).toMatchObject({ calls: 1, rowsWritten: 0 })
    expect(cost.rowsRead).toBeLessThanOrEqual(4)
  })

  test.each(paths)('that was revoked costs POST %s one read at most', async (path) => {
    const { meter, operator, user } = await metered()
    const { id }: ShownKey = user.shown
    await accepted(user)
    await operator.call('DELETE', `/keys/${id}`)
    await user.post(path, event)
    const cost = await costOf(meter, async () => {
      expectRefusal(await user.post(path, event), 401, 'unauthorized')
    })
    expect(cost).toMatchObject({ calls: 1, rowsWritten: 0 })
    expect(cost.rowsRead).toBeLessThanOrEqual(4)
  })

  test('of no key’s form costs no read', async () => {
    const { meter, target, workspace } = await metered()
    for (const key of ['phk_x', `${makeApiKey().text}0`, 'something_else']) {
      const cost = await costOf(meter, async () => {
        expectRefusal(
          await new Client(workspace, { target, key }).post('/events', event),
          401,
          'unauthorized',
        )
      })
      expect(cost.calls).toBe(0)
    }
  })
})
