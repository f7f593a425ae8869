import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { AuditLog } from '../../../src/audit/audit-log.ts'
import { AUDIT_KEPT_MS, purgeEntries } from '../../../src/audit/purge-entries.ts'
import { verifyChain } from '../../../src/audit/verify.ts'
import { CHAIN, record, rows, run } from '../../support/audit/chains.ts'
import { freshStore, START_MS } from '../../support/rig/builders.ts'

const DAY_MS = 86_400_000

const verify = () => verifyChain(env.DB, CHAIN, { belowNo: null, noted: null })

beforeEach(freshStore)

describe('the purge', () => {
  const IDLE = { roundAtMs: 0, isRunning: false, afterChain: null }
  const LATER_MS = START_MS + AUDIT_KEPT_MS + DAY_MS
  const purge = (nowMs: number) => purgeEntries(env.DB, IDLE, { nowMs, takeStep: () => true })

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

  test('walks over all chains, in bounded steps, once a day', async () => {
    const log = new AuditLog()
    for (let n = 0; n < 120; n++) await log.append(env.DB, `w${n}`, record(n))
    let left = 0
    const purgeIn = async (round: Parameters<typeof purgeEntries>[1], steps: number) => {
      left = steps
      return await purgeEntries(env.DB, round, { nowMs: LATER_MS, takeStep: () => left-- > 0 })
    }
    // A step reads a hundred chains, and each that is removed from is one more.
    const begun = await purgeIn(IDLE, 1)
    expect(begun).toMatchObject({ removed: 0, isRunning: true })
    const halfway = await purgeIn(begun, 51)
    expect(halfway).toMatchObject({ removed: 50, isRunning: true })
    const ended = await purgeIn(halfway, 100)
    expect(ended).toMatchObject({ removed: 70, isRunning: false, roundAtMs: LATER_MS })
    expect(await purgeIn(ended, 9)).toMatchObject({ removed: 0, isRunning: false })
    expect(left).toBe(9)
  })
})
