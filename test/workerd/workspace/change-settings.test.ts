import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { changeSettings, type SettingsChanged } from '../../../src/workspace/change-settings.ts'
import { findWorkspaceSettings } from '../../../src/workspace/settings.sql.ts'
import type { WorkspaceSettingsChange } from '../../../src/workspace/settings.ts'

const ALLOWED = {
  allowedHosts: ['*.example.com', 'a.com'],
  deniedHosts: ['bad.example.com'],
  allowHttp: true,
}

function createScene(db: D1Database = env.DB) {
  const workspaceId = `ws-${crypto.randomUUID()}`
  const deps = (used: D1Database) => ({ db: used, now: () => 1_000 })
  const change = (isOperator: boolean, used: D1Database) => (settings: WorkspaceSettingsChange) =>
    changeSettings(deps(used), { workspaceId, isOperator }, settings)
  return {
    byOperator: change(true, env.DB),
    byTenant: change(false, db),
    stored: () => findWorkspaceSettings(env.DB, workspaceId),
  }
}

/** A database in which something else happens before each batch of statements. */
function dbWith(before: () => Promise<unknown>): D1Database {
  return new Proxy(env.DB, {
    get: (db, name) => {
      if (name === 'batch') {
        return async (statements: D1PreparedStatement[]) => {
          await before()
          return await db.batch(statements)
        }
      }
      const member = Reflect.get(db, name) as unknown
      return typeof member === 'function' ? member.bind(db) : member
    },
  })
}

const pathsOf = (changed: SettingsChanged) =>
  changed.kind === 'operators_only' ? changed.problems.map(({ path }) => path) : changed.kind

test('the operator widens and narrows as they like', async () => {
  const { byOperator, stored } = createScene()
  await byOperator(ALLOWED)
  expect(await byOperator({ allowedHosts: null, allowHttp: false })).toMatchObject({ kind: 'changed' })
  expect(await stored()).toMatchObject({ ...ALLOWED, allowedHosts: null, allowHttp: false })
})

test.each<[WorkspaceSettingsChange, string[]]>([
  [{ allowedHosts: null }, ['allowedHosts']],
  [{ allowedHosts: ['*.com'] }, ['allowedHosts']],
  [{ deniedHosts: [], livemode: false }, ['deniedHosts']],
  [{ allowedPorts: [8443], verifyOwnership: false }, ['allowedPorts', 'verifyOwnership']],
  [{ allowedCertificates: null }, ['allowedCertificates']],
])('another caller cannot widen by %j, and nothing of it changes', async (change, paths) => {
  const { byOperator, byTenant, stored } = createScene()
  await byOperator({ ...ALLOWED, verifyOwnership: true, allowedCertificates: [] })
  const before = await stored()
  expect(pathsOf(await byTenant(change))).toEqual(paths)
  expect(await stored()).toEqual(before)
})

test('another caller narrows, and cannot take that back', async () => {
  const { byOperator, byTenant, stored } = createScene()
  await byOperator(ALLOWED)
  const narrower = { allowedHosts: ['x.example.com'], deniedHosts: ['x.example.com'], allowHttp: false }
  expect(pathsOf(await byTenant({ ...narrower, retentionDays: 30 }))).toEqual(['deniedHosts'])
  const fine = { ...narrower, deniedHosts: ['bad.example.com', 'worse.example.com'] }
  expect(await byTenant({ ...fine, retentionDays: 30 })).toMatchObject({ kind: 'changed' })
  expect(await stored()).toMatchObject({ ...fine, retentionDays: 30 })
  expect(pathsOf(await byTenant(ALLOWED))).toEqual(['allowedHosts', 'deniedHosts', 'allowHttp'])
})

test('a change that was compared with settings of before is compared again, and refused where it would widen', async () => {
  let isFirst = true
  const scene = createScene(
    dbWith(async () => {
      if (isFirst) await scene.byOperator({ allowedHosts: ['a.com'] })
      isFirst = false
    }),
  )
  await scene.byOperator(ALLOWED)
  expect(pathsOf(await scene.byTenant({ ...ALLOWED, allowedHosts: ['b.example.com'] }))).toEqual([
    'allowedHosts',
  ])
  expect(await scene.stored()).toMatchObject({ allowedHosts: ['a.com'] })
})

test('a change that others keep coming before gives up', async () => {
  let n = 0
  const scene = createScene(dbWith(() => scene.byOperator({ retentionDays: ++n })))
  await scene.byOperator(ALLOWED)
  expect(await scene.byTenant({ livemode: false })).toEqual({ kind: 'contended' })
})
