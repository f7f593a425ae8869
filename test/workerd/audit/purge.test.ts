import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { AuditLog } from '../../../src/audit/audit-log.ts'
import { AUDIT_KEPT_MS } from '../../../src/audit/entry.ts'
import { purgeEntries } from '../../../src/audit/purge-entries.ts'
import { verifyChain } from '../../../src/audit/verify.ts'
import { CHAIN, record, rows, run } from '../../support/audit/chains.ts'
import { freshStore, START_MS } from '../../support/rig/builders.ts'
import { meterD1 } from '../../support/rig/d1-watch.ts'

const DAY_MS = 86_400_000

const verify = () => verifyChain(env.DB, CHAIN, { belowNo: null, noted: null })

beforeEach(freshStore)

describe('the purge', () => {
  const LATER_MS = START_MS + AUDIT_KEPT_MS + DAY_MS
  const purge = (nowMs: number) => purgeEntries(env.DB, { nowMs, takeStep: () => true })

  async function appendAt(atMs: number, count: number): Promise<void> {
    const log = new AuditLog()
    for (let n = 0; n < count; n++) await log.append(env.DB, CHAIN, { ...record(n), atMs })
  }

  test('removes rows after 400 days and no other, and the chain verifies from the oldest that is kept', async () => {
    await appendAt(START_MS, 5)
    await appendAt(START_MS + 2 * DAY_MS, 3)
    expect(await purge(START_MS + AUDIT_KEPT_MS - 1)).toMatchObject({ removed: 0 })
    expect(await purge(LATER_MS)).toMatchObject({ removed: 5, broken: 0 })
    expect((await rows()).map(({ no }) => no)).toEqual([6, 7, 8])
    expect(await verify()).toMatchObject({ found: null, checked: 3, ends: { purged: { no: 5 } } })
    await run('DELETE FROM audit_entry WHERE no = 6')
    expect((await verify()).found).toMatchObject({ kind: 'missing', no: 6 })
  })

  test('that has removed all rows of a chain lets it go on behind them', async () => {
    await appendAt(START_MS, 3)
    expect(await purge(LATER_MS)).toMatchObject({ removed: 3 })
    await appendAt(LATER_MS, 2)
    expect((await rows()).map(({ no }) => no)).toEqual([4, 5])
    expect(await verify()).toMatchObject({ found: null, checked: 2 })
  })

  test.each([
    ['a row that was made to look old', 'UPDATE audit_entry SET at_ms = 0 WHERE no = 1'],
    ['a row that was changed', "UPDATE audit_entry SET actor = 'operator', at_ms = 0 WHERE no <= 2"],
    ['the row before one that is gone', 'DELETE FROM audit_entry WHERE no = 2'],
  ])('leaves %s', async (_, sql) => {
    await appendAt(START_MS, 4)
    await run(sql)
    const left = await rows()
    expect(await purge(LATER_MS)).toMatchObject({ removed: 0, broken: 1 })
    expect(await rows()).toEqual(left)
  })

  test('goes on in bounded steps until all chains are done', async () => {
    const log = new AuditLog()
    for (let n = 0; n < 120; n++) await log.append(env.DB, `w${n}`, record(n))
    let left = 0
    const purgeIn = async (steps: number) => {
      left = steps
      return await purgeEntries(env.DB, { nowMs: LATER_MS, takeStep: () => left-- > 0 })
    }
    // A step reads a hundred chains, and each that is removed from is one more.
    expect(await purgeIn(1)).toEqual({ removed: 0, broken: 0 })
    expect(await purgeIn(51)).toEqual({ removed: 50, broken: 0 })
    expect(await purgeIn(200)).toEqual({ removed: 70, broken: 0 })
    expect(await purgeIn(9)).toEqual({ removed: 0, broken: 0 })
    expect(left).toBe(8)
  })

  test('reads one row at most and writes none while no row is past its time, however many chains there are', async () => {
    const log = new AuditLog()
    for (let n = 0; n < 150; n++) await log.append(env.DB, `w${n}`, record(n))
    const { db, meter } = meterD1(env.DB)
    const idle = () => purgeEntries(db, { nowMs: START_MS + DAY_MS, takeStep: () => true })
    expect(await idle()).toEqual({ removed: 0, broken: 0 })
    expect(meter).toMatchObject({ rowsWritten: 0, calls: 1 })
    expect(meter.rowsRead).toBeLessThanOrEqual(1)
  })

  test('looks once at chains of a database of before, and again when they are due', async () => {
    await appendAt(START_MS, 3)
    await run('UPDATE audit_chain SET purge_at_ms = 0')
    expect(await purge(START_MS + DAY_MS)).toEqual({ removed: 0, broken: 0 })
    const { db, meter } = meterD1(env.DB)
    await purgeEntries(db, { nowMs: START_MS + DAY_MS, takeStep: () => true })
    expect(meter.rowsRead).toBeLessThanOrEqual(1)
    expect(await purge(LATER_MS)).toEqual({ removed: 3, broken: 0 })
  })

  test('looks at a chain that does not verify once a day, and at others all the same', async () => {
    await appendAt(START_MS, 4)
    await new AuditLog().append(env.DB, 'globex', record(1))
    await run('DELETE FROM audit_entry WHERE chain = ?1 AND no = 2', CHAIN)
    expect(await purge(LATER_MS)).toEqual({ removed: 1, broken: 1 })
    expect(await purge(LATER_MS)).toEqual({ removed: 0, broken: 0 })
    expect(await purge(LATER_MS + DAY_MS)).toEqual({ removed: 0, broken: 1 })
  })
})
