import { env } from 'cloudflare:workers'
import { beforeEach, expect, test } from 'vitest'
import { SEQ_MAX } from '../../../src/base/ids/seq.ts'
import { createRig, createWorld, freshStore } from '../../support/rig/builders.ts'
import { stallD1, writesEvents } from '../../support/rig/d1-watch.ts'

beforeEach(freshStore)

async function markOf(workspaceNo: number): Promise<number> {
  const row = await env.DB.prepare('SELECT swept_seq FROM workspace WHERE no = ?1').bind(workspaceNo)
  return (await row.first<number>('swept_seq')) ?? 0
}

async function seqs(workspaceNo: number, type: string): Promise<number[]> {
  const { results } = await env.DB.prepare(
    `SELECT pk & ${SEQ_MAX} AS seq FROM event WHERE type = ?1 AND pk >> 44 = ?2 ORDER BY pk`,
  )
    .bind(type, workspaceNo)
    .all<{ seq: number }>()
  return results.map(({ seq }) => seq)
}

/** Isolate A prepares a commit that stalls; isolate B commits and delivers; the mark passes B; then A commits. */
async function lateCommit() {
  const world = createWorld()
  const stall = stallD1(env.DB, writesEvents)
  const a = await createRig({ world, workspace: 'shared', db: stall.db })
  const b = await createRig({ world, workspace: 'shared' })
  const subscription = await a.subscribe()
  const late = a.publish({ type: 'late.one' }, { type: 'late.two' })
  await stall.stalled
  world.clock.nowMs += 30_000
  await b.publish({ type: 'early.one' })
  await b.drain()
  world.clock.nowMs += 30_000
  await b.sweep()
  const mark = await markOf(b.workspaceNo)
  stall.release()
  const outcomes = await late
  return { world, a, b, subscription, outcomes, markBefore: mark }
}

test('an event whose commit was late gets a number above the mark that others have passed', async () => {
  const { b, markBefore } = await lateCommit()
  expect((await seqs(b.workspaceNo, 'late.one'))[0]).toBeGreaterThan(markBefore)
})

test('the mark had passed everything that was committed before the late commit', async () => {
  const { b, markBefore } = await lateCommit()
  expect(markBefore).toBe((await seqs(b.workspaceNo, 'early.one'))[0])
})

test('an event whose commit was late and whose hint was lost is found by the sweep and delivered', async () => {
  const { world, b, subscription } = await lateCommit()
  world.fast.lose()
  world.clock.nowMs += 180_000
  await b.sweep()
  await b.drain()
  expect(b.postsTo(subscription).map(({ body }) => JSON.parse(body).event)).toEqual([
    'early.one',
    'late.one',
    'late.two',
  ])
})

test('an event that is too young to be swept is not passed by the mark when an older one has a higher number', async () => {
  const world = createWorld()
  const stall = stallD1(env.DB, writesEvents)
  const a = await createRig({ world, workspace: 'shared', db: stall.db })
  const b = await createRig({ world, workspace: 'shared' })
  const subscription = await a.subscribe()
  const late = a.publish({ type: 'late.one' })
  await stall.stalled
  world.clock.nowMs += 30_000
  await b.publish({ type: 'young.one' })
  world.fast.lose()
  stall.release()
  await late
  await b.drain()
  world.clock.nowMs += 1_000
  await b.sweep()
  world.clock.nowMs += 60_000
  await b.sweep()
  await b.drain()
  expect(b.postsTo(subscription).map(({ body }) => JSON.parse(body).event)).toEqual(['late.one', 'young.one'])
})

test('numbers follow the clock when the store is idle', async () => {
  const rig = await createRig()
  await rig.publish({ type: 'first' })
  rig.clock.nowMs += 1_000
  await rig.publish({ type: 'second' })
  const [[first = 0], [second = 0]] = [
    await seqs(rig.workspaceNo, 'first'),
    await seqs(rig.workspaceNo, 'second'),
  ] as [number[], number[]]
  expect(second - first).toBe(32_000)
})

test('numbers rise even when the clock runs backwards', async () => {
  const rig = await createRig()
  await rig.publish({ type: 'first' })
  rig.clock.nowMs -= 3_600_000
  await rig.publish({ type: 'second' })
  const [first = 0] = await seqs(rig.workspaceNo, 'first')
  const [second = 0] = await seqs(rig.workspaceNo, 'second')
  expect(second).toBe(first + 1)
})

test('events of one request are numbered in the order in which they were sent', async () => {
  const rig = await createRig()
  await rig.publish(...Array.from({ length: 50 }, (_, i) => ({ type: `t.${String(i).padStart(2, '0')}` })))
  const { results } = await env.DB.prepare('SELECT type FROM event WHERE pk >> 44 = ?1 ORDER BY pk')
    .bind(rig.workspaceNo)
    .all<{ type: string }>()
  expect(results.map(({ type }) => type)).toEqual(results.map(({ type }) => type).sort())
})
