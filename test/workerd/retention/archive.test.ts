import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { findEventByOwnId } from '../../../src/history/event-log.sql.ts'
import { type Archive, findArchive } from '../../../src/retention/archive/archives.sql.ts'
import { restoreArchive } from '../../../src/retention/archive/restore-archive.ts'
import { answer, createRig, freshStore, type Rig, SECRET } from '../../support/rig/builders.ts'
import {
  archivedLines,
  archiveText,
  DAY_MS,
  everything,
  HISTORY_TABLES,
  historyCounts,
  LARGE,
  NO_HISTORY,
  objectKeys,
  purgeNow,
  setRetention,
  settleHistory,
} from '../../support/rig/history.ts'

beforeEach(freshStore)

async function archivesOf(rig: Rig): Promise<Archive[]> {
  const { results } = await env.DB.prepare('SELECT no FROM archive ORDER BY no').all<{ no: number }>()
  const found = await Promise.all(results.map(({ no }) => findArchive(env.DB, rig.workspace, no)))
  return found.filter((archive) => archive !== null)
}

function restore(rig: Rig, archive: Archive | undefined) {
  if (archive === undefined) throw new Error('there is no archive')
  const now = () => rig.clock.nowMs
  const deps = { db: env.DB, bodies: env.BODIES, now, newKey: () => crypto.randomUUID() }
  return restoreArchive(deps, rig.workspace, archive)
}

/** Changes what an archive's object says. */
async function rewrite(archive: Archive | undefined, change: (text: string) => string): Promise<void> {
  const key = archive?.key ?? ''
  const stream = new Blob([change(await archiveText(key))])
    .stream()
    .pipeThrough(new CompressionStream('gzip'))
  await env.BODIES.put(key, await new Response(stream).arrayBuffer())
}

/** A workspace with one of everything, purged into an archive. */
async function archived() {
  const rig = await createRig()
  await setRetention(rig.workspaceNo, { archive: true })
  const subscriptions = await everything(rig)
  const before = await rows()
  rig.clock.nowMs += 91 * DAY_MS
  const report = await purgeNow(rig)
  const [archive] = await archivesOf(rig)
  return { rig, report, before, archive, ...subscriptions }
}

/** Every row that hangs on events, without what restoring leaves out or marks. */
async function rows(): Promise<Record<string, unknown[]>> {
  const tables = HISTORY_TABLES.filter((name) => name !== 'kept_body')
  const results = await env.DB.batch<Record<string, unknown>>(
    tables.map((name) => env.DB.prepare(`SELECT * FROM ${name} ORDER BY 1, 2, 3`)),
  )
  const all = tables.map((name, i) => {
    const kept = results[i]?.results.map(({ restored_at_ms: _, payload: __, body_key, ...row }) => {
      return { ...row, ...(name === 'event' && { isLarge: body_key !== null }) }
    })
    return [name, kept]
  })
  return Object.fromEntries(all) as Record<string, unknown[]>
}

describe('archiving', () => {
  test('writes what is purged to one object, and a row that names it', async () => {
    const { rig, report, archive } = await archived()
    expect(report).toMatchObject({ events: 3, archives: 1 })
    expect(await historyCounts()).toEqual(NO_HISTORY)
    expect(await objectKeys()).toEqual([archive?.key])
    expect(archive?.key).toMatch(
      new RegExp(`^archive/${rig.workspace}/\\d+-\\d+-[0-9a-f-]{36}\\.ndjson\\.gz$`),
    )
    const size = (await env.BODIES.head(archive?.key ?? ''))?.size
    expect(archive).toMatchObject({ events: 3, bytes: size, restoredAtMs: null })
    expect(archive?.acceptedFromMs).toBeLessThanOrEqual(archive?.acceptedToMs ?? 0)
    const lines = await archivedLines(archive?.key ?? '')
    expect(lines.map(({ ownId }) => ownId)).toEqual([null, 'own', null])
    expect(lines[2]?.payload).toContain(LARGE.text)
    expect(lines[0]?.deliveries).toMatchObject([
      {
        status: 'success',
        attempts: [{ attempt: 1, response: expect.stringMatching(/^(a long answer ){100}$/) }],
      },
      {
        status: 'failed',
        attempts: [{ attempt: 1 }, { attempt: 2 }, { attempt: 3 }, { attempt: 4, status: 500 }],
      },
    ])
  })

  test('puts no secret into it', async () => {
    const rig = await createRig()
    await setRetention(rig.workspaceNo, { archive: true })
    const headers = { 'X-Token': 'header-secret' }
    await rig.subscribe({
      headers,
      auth: { type: 'basic', username: 'user-secret', password: 'pass-secret' },
    })
    await rig.publish({})
    await settleHistory(rig)
    rig.clock.nowMs += 91 * DAY_MS
    await purgeNow(rig)
    const [archive] = await archivesOf(rig)
    const text = await archiveText(archive?.key ?? '')
    expect(text).toContain('"status":"success"')
    for (const secret of [SECRET, 'header-secret', 'user-secret', 'pass-secret', 'X-Token', 'ciphe']) {
      expect(text).not.toContain(secret)
    }
  })

  test('says of what was outstanding that it has expired', async () => {
    const rig = await createRig()
    await setRetention(rig.workspaceNo, { archive: true, retentionDays: 7 })
    const subscription = await rig.subscribe({ retryPolicy: { schedule: [30 * 86_400] } })
    rig.receivers.set(subscription.settings.url, answer(500))
    await rig.publish({})
    await settleHistory(rig)
    rig.clock.nowMs += 8 * DAY_MS
    expect(await purgeNow(rig)).toMatchObject({ events: 1, expired: 1, archives: 1 })
    const [archive] = await archivesOf(rig)
    expect((await archivedLines(archive?.key ?? ''))[0]?.deliveries).toMatchObject([
      { status: 'skipped', error: 'expired', attempts: [{ attempt: 1, status: 500 }] },
    ])
    expect(await restore(rig, archive)).toEqual({ kind: 'restored', events: 1, deliveries: 1 })
    rig.clock.nowMs += 40 * DAY_MS
    await rig.sweep()
    await rig.drain()
    expect(rig.postsTo(subscription)).toHaveLength(1)
    expect(await rig.deliveries()).toMatchObject([
      { state: 3, due_at_ms: null, error: 'expired', attempts: 1 },
    ])
  })

  test('of large texts takes only as many events at once as fit into memory', async () => {
    const rig = await createRig()
    await setRetention(rig.workspaceNo, { archive: true })
    for (let i = 0; i < 50; i++) await rig.publish({ data: { text: `${i} `.padEnd(59_000, 'x') } })
    await settleHistory(rig)
    rig.clock.nowMs += 91 * DAY_MS
    expect(await purgeNow(rig)).toMatchObject({ events: 50, archives: 2 })
    const lines = await Promise.all((await archivesOf(rig)).map(({ key }) => archivedLines(key)))
    expect(lines.map(({ length }) => length)).toEqual([33, 17])
  })
})

describe('restoring', () => {
  test('brings back every row under its old key, and delivers nothing', async () => {
    const { rig, archive, before, posts } = await archived().then((all) => ({
      ...all,
      posts: all.rig.posts.length,
    }))
    expect(await restore(rig, archive)).toEqual({ kind: 'restored', events: 3, deliveries: 6 })
    const keyless = { ...before, event_key: before['event_key']?.slice(0, 1) }
    expect(await rows()).toEqual(keyless)
    rig.clock.nowMs += 60_000
    await rig.sweep()
    await rig.drain()
    expect(rig.posts).toHaveLength(posts)
    const large = await env.DB.prepare('SELECT body_key FROM event WHERE body IS NULL').first<string>(
      'body_key',
    )
    expect(await (await env.BODIES.get(large ?? ''))?.text()).toContain(LARGE.text)
  })

  test('may be repeated: nothing is doubled, nothing that is there is changed', async () => {
    const { rig, archive } = await archived()
    await restore(rig, archive)
    const once = [await rows(), await objectKeys()]
    expect(await restore(rig, archive)).toEqual({ kind: 'restored', events: 0, deliveries: 0 })
    expect([await rows(), await objectKeys()]).toEqual(once)
  })

  test('leaves an own id with the event that has it now', async () => {
    const { rig, archive } = await archived()
    await rig.publish({ id: 'own', data: { new: true } })
    await restore(rig, archive)
    expect((await findEventByOwnId(env.DB, rig.workspace, 'own'))?.body).toContain('new')
    await settleHistory(rig)
    rig.clock.nowMs += 31 * DAY_MS
    expect(await purgeNow(rig)).toMatchObject({ events: 3 })
    expect((await findEventByOwnId(env.DB, rig.workspace, 'own'))?.body).toContain('new')
  })

  test('lasts thirty days: then the events leave again, are not archived anew, and may be restored anew', async () => {
    const { rig, archive } = await archived()
    await restore(rig, archive)
    rig.clock.nowMs += 30 * DAY_MS
    expect(await purgeNow(rig)).toMatchObject({ events: 0 })
    rig.clock.nowMs += 1
    expect(await purgeNow(rig)).toMatchObject({ events: 3, deliveries: 6, archives: 0 })
    expect(await historyCounts()).toEqual(NO_HISTORY)
    expect(await objectKeys()).toEqual([archive?.key])
    const [again] = await archivesOf(rig)
    expect(again?.restoredAtMs).toBeNull()
    expect(await restore(rig, again)).toMatchObject({ events: 3 })
  })

  test('brings nothing to a subscription that is gone, nor to one that is not the same', async () => {
    const { rig, archive, plain, shaped } = await archived()
    await env.DB.prepare('DELETE FROM subscription WHERE no = ?1').bind(plain.no).run()
    await env.DB.prepare("UPDATE subscription SET id = 'webhook_other' WHERE no = ?1").bind(shaped.no).run()
    expect(await restore(rig, archive)).toEqual({ kind: 'restored', events: 3, deliveries: 0 })
    expect(await historyCounts()).toMatchObject({ event: 3, delivery: 0, attempt: 0, response_text: 0 })
  })

  test('makes nothing due, whatever an archive says', async () => {
    const { rig, archive } = await archived()
    await rewrite(archive, (text) => text.replaceAll('"status":"failed"', '"status":"pending"'))
    expect(await restore(rig, archive)).toMatchObject({ deliveries: 6 })
    const skipped = (await rig.deliveries()).filter(({ state, error }) => state === 3 && error === 'expired')
    expect(skipped.map(({ due_at_ms: due }) => due)).toEqual([null, null, null])
  })

  test('says when lines are missing at the end', async () => {
    const { rig, archive } = await archived()
    await rewrite(archive, (text) => text.slice(0, -10))
    expect(await restore(rig, archive)).toEqual({ kind: 'damaged' })
    expect(await historyCounts()).toMatchObject({ event: 2, delivery: 4 })
  })

  test('says when the object is missing or is another workspace’s', async () => {
    const { rig, archive } = await archived()
    await rewrite(archive, (text) =>
      text
        .split('\n')
        .filter((_, i) => i % 2 === 0)
        .join('\n'),
    )
    const other = await createRig()
    const now = () => rig.clock.nowMs
    const deps = { db: env.DB, bodies: env.BODIES, now, newKey: () => crypto.randomUUID() }
    const foreign = { ...archive!, workspaceNo: other.workspaceNo }
    expect(await restoreArchive(deps, other.workspace, foreign)).toEqual({ kind: 'damaged' })
    await env.BODIES.delete(archive?.key ?? '')
    expect(await restore(rig, archive)).toEqual({ kind: 'missing' })
    expect(await historyCounts()).toEqual(NO_HISTORY)
  })

  test.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ['cut off', (bytes) => bytes.slice(0, bytes.length / 2)],
    ['empty', () => new Uint8Array()],
    ['no gzip', () => new TextEncoder().encode('{"format":"posthorn-archive"}\n')],
    ['with a byte changed', (bytes) => bytes.with(bytes.length / 2, (bytes[bytes.length / 2] ?? 0) ^ 255)],
  ])('an archive that is %s is damaged, and restores whole events only', async (_, damage) => {
    const { rig, archive } = await archived()
    const bytes = new Uint8Array((await (await env.BODIES.get(archive?.key ?? ''))?.arrayBuffer()) ?? [])
    await env.BODIES.put(archive?.key ?? '', damage(bytes.slice(0, bytes.length & ~1)))
    expect(await restore(rig, archive)).toEqual({ kind: 'damaged' })
    const { event = 0, delivery } = await historyCounts()
    expect(delivery).toBe(event * 2)
  })
})
