import { env } from 'cloudflare:workers'
import { beforeEach, expect, test } from 'vitest'
import type { Pair } from '../../../../src/model/delivery.ts'
import { draftBody } from '../../../../src/model/event.ts'
import { type CommitDeps, GroupCommit } from '../../../../src/publish/commit/group-commit.ts'
import { createRig, draft, freshStore } from '../../../support/rig/builders.ts'
import { type Around, watchD1, writesEvents } from '../../../support/rig/d1-watch.ts'

beforeEach(freshStore)

/** A database that lists the workspaces of each commit, and how many events each took. */
function recording(before: (commit: number) => Promise<void> = async () => undefined) {
  const commits: number[] = []
  const around: Around = async (call, run) => {
    if (!writesEvents(call)) return await run()
    const index = commits.push(0) - 1
    await before(index)
    const results = await run()
    commits[index] = results.reduce((sum, { meta }) => sum + meta.changes, 0)
    return results
  }
  return { db: watchD1(env.DB, around), commits }
}

function event(type: string, keys: string[] = []) {
  const body = draftBody(draft({ type }), { livemode: true, apiVersion: 'v1' })
  const hash = keys.length > 0 ? type : null
  return { type, ownId: null, fanout: [7], body, bodyKey: null, isTest: false, keys, hash }
}

function depsOf(db: D1Database, pairs: Pair[] = [], nowMs = 1_000): CommitDeps {
  return { db, now: () => nowMs, onCommitted: (committed) => void pairs.push(...committed.pairs) }
}

async function workspaces(count: number): Promise<number[]> {
  const rigs = []
  for (let i = 0; i < count; i++) rigs.push(await createRig())
  return rigs.map(({ workspaceNo }) => workspaceNo)
}

async function typesBySeq(): Promise<Map<string, string>> {
  const { results } = await env.DB.prepare(
    'SELECT pk >> 44 AS ws, pk & (1 << 44) - 1 AS seq, type FROM event',
  ).all<{ ws: number; seq: number; type: string }>()
  return new Map(results.map(({ ws, seq, type }) => [`${ws}/${seq}`, type]))
}

/** A publish whose commit is under way while others arrive; the commits named in `failing` fail. */
async function underWay(others: number, failing: readonly number[] = []) {
  const [workspaceNo = 0] = await workspaces(1)
  const started = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  const { db, commits } = recording(async (commit) => {
    started.resolve()
    await gate.promise
    if (failing.includes(commit)) throw new Error('D1 failed')
  })
  const queue = new GroupCommit()
  const commit = (type: string) =>
    queue.commit({ workspaceNo, configVersion: 1, events: [event(type)] }, depsOf(db))
  const first = commit('first')
  await started.promise
  const all = [first, ...Array.from({ length: others }, (_, i) => commit(`t.${i}`))]
  gate.resolve()
  const settled = await Promise.allSettled(all)
  return { commit, commits, settled: settled.map(({ status }) => status) }
}

test('publishes that arrive while a commit is under way share the next one', async () => {
  const { commits } = await underWay(39)
  expect(commits).toEqual([1, 39])
})

test('each of many concurrent publishes of several workspaces is told its own numbers', async () => {
  const nos = await workspaces(3)
  const queue = new GroupCommit()
  const deps = depsOf(env.DB)
  const told = await Promise.all(
    Array.from({ length: 60 }, async (_, i) => {
      const workspaceNo = nos[i % 3] ?? 0
      const events = Array.from({ length: 1 + (i % 4) }, (_, k) =>
        event(`t.${i}.${k}`, i % 5 ? [] : [`i:${i}-${k}`]),
      )
      const result = await queue.commit({ workspaceNo, configVersion: 1, events }, deps)
      if (result.kind !== 'committed') return []
      return result.results.map(
        (one, k) => [`${workspaceNo}/${'seq' in one && one.seq}`, `t.${i}.${k}`] as const,
      )
    }),
  )
  expect(new Map(told.flat())).toEqual(await typesBySeq())
})

test('a publish of an old configuration is stale without harm to the others of its commit', async () => {
  const [no = 0, other = 0] = await workspaces(2)
  const queue = new GroupCommit()
  const commit = (workspaceNo: number, configVersion: number) =>
    queue.commit({ workspaceNo, configVersion, events: [event('t')] }, depsOf(env.DB))
  const results = await Promise.all([commit(no, 1), commit(no, 1), commit(no, 0), commit(other, 1)])
  expect(results.map(({ kind }) => kind)).toEqual(['committed', 'committed', 'stale', 'committed'])
})

test('a commit that fails rejects its members and nobody else', async () => {
  const { settled } = await underWay(5, [1])
  expect(settled).toEqual(['fulfilled', ...new Array(5).fill('rejected')])
})

test('a commit that failed does not keep the next one from being made', async () => {
  const { commit } = await underWay(5, [1])
  expect((await commit('later')).kind).toBe('committed')
})

/** A leader whose D1 call never comes back, with one publish that waits for it. */
async function deadLeader() {
  const [no = 0] = await workspaces(1)
  const dead = Promise.withResolvers<void>()
  const { db } = recording(async (commit) => {
    if (commit > 0) return
    dead.resolve()
    await new Promise(() => undefined)
  })
  const queue = new GroupCommit()
  const ended: string[] = []
  const commit = async (name: string, nowMs: number) => {
    await queue.commit({ workspaceNo: no, configVersion: 1, events: [event(name)] }, depsOf(db, [], nowMs))
    ended.push(name)
  }
  void commit('leader', 1_000)
  await dead.promise
  return { commit, ended }
}

test('a publish that arrives when the leader has been silent for 15 s leads, and takes those who wait along', async () => {
  const { commit, ended } = await deadLeader()
  const waiting = commit('waiting', 5_000)
  const late = commit('late', 16_000)
  await Promise.all([waiting, late])
  expect(ended.sort()).toEqual(['late', 'waiting'])
})

test('a publish that arrives before that waits for the leader', async () => {
  const { commit, ended } = await deadLeader()
  void commit('waiting', 15_999)
  const late = commit('late', 16_000)
  const before = [...ended]
  await late
  expect(before).toEqual([])
})

test('publishes that name the same key are not decided in one commit', async () => {
  const [no = 0] = await workspaces(1)
  const { db, commits } = recording()
  const queue = new GroupCommit()
  const entry = (type: string) => ({ workspaceNo: no, configVersion: 1, events: [event(type, ['i:same'])] })
  const results = await Promise.all(['a', 'b', 'b'].map((type) => queue.commit(entry(type), depsOf(db))))
  const kinds = results.map((result) => result.kind === 'committed' && result.results[0]?.kind)
  expect([kinds, commits.length]).toEqual([['inserted', 'exists', 'exists'], 3])
})

test('a commit reports every delivery it owes now, in accepted order, and none that waits', async () => {
  const [no = 0] = await workspaces(1)
  const pairs: Pair[] = []
  const waiting = [{ subscriptionNo: 8, level: 'ordered' as const, orderKey: '' }]
  const events = [
    { ...event('t'), fanout: [7, 8, -9], waiting },
    { ...event('t'), fanout: [7] },
  ]
  await new GroupCommit().commit({ workspaceNo: no, configVersion: 1, events }, depsOf(env.DB, pairs))
  expect(pairs.map(({ seq, subscriptionNo }) => [seq, subscriptionNo])).toEqual([
    [1, 7],
    [2, 7],
  ])
})
