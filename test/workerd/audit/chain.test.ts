import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { appendEntry } from '../../../src/audit/audit.sql.ts'
import { AuditLog } from '../../../src/audit/audit-log.ts'
import { type AuditEntry, CHAIN_START, chainRecord, hashOf } from '../../../src/audit/entry.ts'
import { verifyChain } from '../../../src/audit/verify.ts'
import { CHAIN, record, rows, run } from '../../support/audit/chains.ts'
import { freshStore } from '../../support/rig/builders.ts'
import { meterD1 } from '../../support/rig/d1-watch.ts'

beforeEach(freshStore)

async function append(count: number, log = new AuditLog()): Promise<void> {
  for (let n = 1; n <= count; n++) await log.append(env.DB, CHAIN, record(n))
}

const verify = (belowNo: number | null = null, noted: { no: number; hash: string } | null = null) =>
  verifyChain(env.DB, CHAIN, { belowNo, noted })

async function row(no: number): Promise<AuditEntry> {
  const found = (await rows()).find((each) => each.no === no)
  if (found === undefined) throw new Error(`there is no row ${no}`)
  return found
}

/** Puts a row in past the log. */
async function insert(entry: AuditEntry): Promise<void> {
  const { chain, no, hash, previousHash, atMs, actor, address, userAgent } = entry
  const { action, route, object, fields, requestId, outcome, code } = entry
  const values = [chain, no, hash, previousHash, atMs, actor, address, userAgent]
  await run(
    'INSERT INTO audit_entry VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)',
    ...values,
    ...[action, route, object, fields, requestId, outcome, code],
  )
}

test('rows follow one another from the start, and verify', async () => {
  await append(12)
  const all = await rows()
  expect(all.map(({ no }) => no)).toEqual(Array.from({ length: 12 }, (_, n) => n + 1))
  expect(all.map(({ previousHash }) => previousHash)).toEqual([
    CHAIN_START.hash,
    ...all.slice(0, -1).map(({ hash }) => hash),
  ])
  expect(await verify()).toMatchObject({ found: null, checked: 12, next: null })
})

test('a chain without rows verifies', async () => {
  expect(await verify()).toMatchObject({ found: null, checked: 0, next: null })
})

test('isolates that append at once make one chain', async () => {
  const logs = [new AuditLog(), new AuditLog(), new AuditLog()]
  await Promise.all(
    logs.flatMap((log, each) =>
      Array.from({ length: 15 }, (_, n) => log.append(env.DB, CHAIN, record(100 * each + n))),
    ),
  )
  const all = await rows()
  expect(all.map(({ no }) => no)).toEqual(Array.from({ length: 45 }, (_, n) => n + 1))
  expect(new Set(all.map(({ requestId }) => requestId)).size).toBe(45)
  expect(await verify()).toMatchObject({ found: null, checked: 45 })
})

test('an entry is not written behind a row that is not the head', async () => {
  await append(3)
  const stale = await chainRecord(CHAIN, await row(2), record(9))
  expect(await appendEntry(env.DB, stale, { purgeAtMs: 0 })).toEqual({ no: 3, hash: (await row(3)).hash })
  expect(await rows()).toHaveLength(3)
})

test('an append is one round trip and writes two rows', async () => {
  const { db, meter } = meterD1(env.DB)
  const log = new AuditLog()
  await append(2, log)
  await log.append(db, CHAIN, record(3))
  expect(meter).toMatchObject({ calls: 1, rowsWritten: 2 })
})

test('an append that fails on its way leaves the chain whole', async () => {
  const log = new AuditLog()
  await append(2, log)
  const lost = {
    prepare: env.DB.prepare.bind(env.DB),
    batch: async (s: D1PreparedStatement[]) => {
      await env.DB.batch(s)
      throw new Error('D1_ERROR: network connection lost')
    },
  } as unknown as D1Database
  await expect(log.append(lost, CHAIN, record(3))).rejects.toThrow('connection lost')
  await log.append(env.DB, CHAIN, record(4))
  expect(await verify()).toMatchObject({ found: null, checked: 4 })
})

describe('is found, and which row it is:', () => {
  beforeEach(() => append(9))

  test.each([
    ['at_ms', '1'],
    ['actor', "'operator'"],
    ['address', "'203.0.113.9'"],
    ['user_agent', 'NULL'],
    ['action', "'getSecret'"],
    ['route', "'GET /'"],
    ['object', "'webhooks/other'"],
    ['fields', "'{}'"],
    ['request_id', "'req_0'"],
    ['outcome', "'refused'"],
    ['code', "'forbidden'"],
    ['hash', `'${'a'.repeat(64)}'`],
    ['previous_hash', `'${'a'.repeat(64)}'`],
  ])('%s changed', async (column, value) => {
    for (const no of [1, 5, 9]) {
      await freshStore()
      await append(9)
      await run(`UPDATE audit_entry SET ${column} = ${value} WHERE chain = ?1 AND no = ?2`, CHAIN, no)
      expect((await verify()).found).toMatchObject({ kind: 'changed', no })
    }
  })

  test('a row changed along with its hash', async () => {
    const changed = { ...(await row(5)), actor: 'operator' }
    await run('DELETE FROM audit_entry WHERE chain = ?1 AND no = 5', CHAIN)
    await insert({ ...changed, hash: await hashOf(changed) })
    expect((await verify()).found).toMatchObject({ kind: 'changed', no: 5 })
  })

  test.each([1, 5, 9])('row %i removed', async (no) => {
    await run('DELETE FROM audit_entry WHERE chain = ?1 AND no = ?2', CHAIN, no)
    expect((await verify()).found).toMatchObject({ kind: 'missing', no })
  })

  test('all rows removed', async () => {
    await run('DELETE FROM audit_entry')
    expect((await verify()).found).toMatchObject({ kind: 'missing', no: 9 })
  })

  test.each([3, 9])('a row put in beside row %i', async (no) => {
    const forged = await chainRecord(CHAIN, { ...(await row(no - 1)) }, { ...record(77), actor: 'operator' })
    await insert(forged)
    expect((await verify()).found).toEqual({ kind: 'inserted', no, hash: forged.hash })
  })

  test.each([
    ['behind the head', 10],
    ['before the start', 0],
  ])('a row put in %s', async (_, no) => {
    const forged = await chainRecord(CHAIN, { ...(await row(9)), no: no - 1 }, record(77))
    await insert(forged)
    expect((await verify()).found).toEqual({ kind: 'inserted', no, hash: forged.hash })
    // The log goes on beside it.
    await append(2)
    expect((await verify()).found).toEqual({ kind: 'inserted', no, hash: forged.hash })
  })

  test('two rows that have changed places', async () => {
    await run('UPDATE audit_entry SET no = iif(no = 4, 5, 4) WHERE chain = ?1 AND no IN (4, 5)', CHAIN)
    expect((await verify()).found).toMatchObject({ kind: 'changed', no: 5 })
  })

  test('a chain that was written anew as a whole, by the head that was noted', async () => {
    const { no, hash } = await row(6)
    const noted = { no, hash }
    await freshStore()
    await append(5)
    await new AuditLog().append(env.DB, CHAIN, { ...record(6), actor: 'operator' })
    expect((await verify()).found).toBeNull()
    expect((await verify(null, noted)).found).toEqual({ kind: 'rewritten', no: 6, hash: noted.hash })
  })

  test('an end that was cut off along with the head, by the head that was noted', async () => {
    const [noted, cut] = [await row(9), await row(7)]
    expect((await verify(null, noted)).found).toBeNull()
    await run('DELETE FROM audit_entry WHERE no > 7')
    await run('UPDATE audit_chain SET head_no = 7, head_hash = ?1', cut.hash)
    expect((await verify()).found).toBeNull()
    expect((await verify(null, noted)).found).toMatchObject({ kind: 'rewritten', no: 9 })
  })
})

test('a long chain is verified in steps, down to a break in its oldest part', async () => {
  const entries: AuditEntry[] = []
  for (let n = 1; n <= 4_500; n++)
    entries.push(await chainRecord(CHAIN, entries.at(-1) ?? CHAIN_START, record(n)))
  const columns = Array.from({ length: 15 }, (_, n) => `value ->> ${n}`).join(', ')
  for (let from = 0; from < entries.length; from += 1_500) {
    const part = entries.slice(from, from + 1_500).map((entry) => Object.values(sorted(entry)))
    await run(`INSERT INTO audit_entry SELECT ${columns} FROM json_each(?1)`, JSON.stringify(part))
  }
  const last = entries.at(-1)
  await run('INSERT INTO audit_chain VALUES (?1, 4500, ?2, 0, ?3, 0)', CHAIN, last?.hash, CHAIN_START.hash)
  expect(await steps()).toEqual({ checked: [2_000, 2_000, 500], found: null })
  await run('UPDATE audit_entry SET actor = ?1 WHERE no = 300', 'operator')
  expect(await steps()).toMatchObject({ checked: [2_000, 2_000, 200], found: { kind: 'changed', no: 300 } })
})

/** An entry's members in the order of the table's columns. */
function sorted({ chain, no, hash, previousHash, atMs, actor, address, userAgent, ...rest }: AuditEntry) {
  const { action, route, object, fields, requestId, outcome, code } = rest
  const who = { chain, no, hash, previousHash, atMs, actor, address, userAgent }
  return { ...who, action, route, object, fields, requestId, outcome, code }
}

async function steps() {
  const checked: number[] = []
  for (let belowNo: number | null = null; ; ) {
    const step = await verify(belowNo)
    checked.push(step.checked)
    if (step.next === null) return { checked, found: step.found }
    belowNo = step.next.belowNo
  }
}
