import { env } from 'cloudflare:workers'
import { AuditLog } from '../../../../src/audit/audit-log.ts'
import { type EraseReport, eraseWorkspaces } from '../../../../src/retention/erase/erase-workspaces.ts'
import { startDeletion } from '../../../../src/workspace/deletion.sql.ts'
import { newDeletion } from '../../../../src/workspace/deletion.ts'
import { record } from '../../../support/audit/chains.ts'
import { answer, type Rig } from '../../../support/rig/builders.ts'
import { DAY_MS, everything, purgeNow, setRetention, settleHistory } from '../../../support/rig/history.ts'

/** Time after which no outcome of a deleted workspace can come any more. */
export const SETTLED_MS = 200_000

/** Asks for the deletion of a rig's workspace. */
export async function requestDeletion(rig: Pick<Rig, 'relay' | 'workspace' | 'clock'>): Promise<boolean> {
  return await startDeletion(rig.relay.env.DB, rig.workspace, newDeletion(rig.clock.nowMs))
}

/** One run over deletions by a rig's clock and bindings. */
export async function eraseNow(
  { relay, clock }: Pick<Rig, 'relay' | 'clock'>,
  { stepsMax = 100 }: { stepsMax?: number } = {},
): Promise<EraseReport> {
  const deps = {
    db: relay.env.DB,
    bodies: relay.env.BODIES,
    now: () => clock.nowMs,
    newId: () => crypto.randomUUID(),
    sleep: async () => undefined,
    forgetPacers: relay.pacers.forget,
    forgetLimiter: relay.limits.limiters.forget,
  }
  return await eraseWorkspaces(deps, { stepsMax })
}

/** Runs, waits for the outcomes that may still come, and runs to the end. */
export async function eraseWhole(rig: Rig): Promise<void> {
  await eraseNow(rig)
  rig.clock.nowMs += SETTLED_MS
  await rig.sweep()
  await eraseNow(rig)
}

/** A workspace with a row in every table and objects of every kind, all settled. */
export async function fullWorkspace(rig: Rig): Promise<void> {
  await everything(rig)
  const batched = await rig.subscribe({ batchSettings: { maxEvents: 2, maxWaitTime: 60 } })
  const failing = await rig.subscribe({ rateLimit: { requests: 10, perSeconds: 1 } })
  rig.receivers.set(failing.settings.url, answer(503))
  await rig.publish({ data: { batched: 1 } }, { data: { batched: 2 } })
  await rig.drain()
  await archiveOne(rig)
  await addRows(rig.workspaceNo, rig.workspace, [batched.no, failing.no])
}

/** Purges what there is into an archive, and brings one event more that stays. */
async function archiveOne(rig: Rig): Promise<void> {
  await settleHistory(rig)
  await setRetention(rig.workspaceNo, { archive: true })
  rig.clock.nowMs += 91 * DAY_MS
  await purgeNow(rig)
  await everything(rig)
}

/** Rows that no delivery makes. */
async function addRows(workspaceNo: number, workspaceId: string, nos: readonly number[]): Promise<void> {
  const own = `${workspaceNo}-${nos[0]}`
  const [first = 0, second = 0] = nos
  await new AuditLog().append(env.DB, workspaceId, record(1))
  await env.DB.batch([
    env.DB.prepare(
      "INSERT INTO access_token (subscription_no, version, token_cipher, expires_at_ms) VALUES (?1, 1, 'sealed', 1)",
    ).bind(first),
    env.DB.prepare('INSERT INTO revoked_key (id, workspace_no, revoked_at_ms) VALUES (?1, ?2, 1)').bind(
      `revoked-${own}`,
      workspaceNo,
    ),
    env.DB.prepare(
      `UPDATE subscription SET config = json_set(config, '$.metadata', json('{"customerId":"42"}')) WHERE no = ?1`,
    ).bind(first),
    env.DB.prepare('INSERT INTO workspace_statistic (workspace_no, hour) VALUES (?1, 1)').bind(workspaceNo),
    env.DB.prepare(
      "INSERT INTO verified_host (workspace_no, host, verified_at_ms) VALUES (?1, 'a.example.com', 1)",
    ).bind(workspaceNo),
    env.DB.prepare(
      "INSERT INTO event_type (workspace_no, name, created_at_ms, updated_at_ms) VALUES (?1, 'a.b', 1, 1)",
    ).bind(workspaceNo),
    env.DB.prepare(
      "INSERT INTO replay (id, workspace_no, subscription_no, config, until_seq, created_at_ms, state) VALUES (?1, ?2, ?3, '{}', 1, 1, 1)",
    ).bind(own, workspaceNo, second),
    env.DB.prepare(
      "INSERT INTO request_answer (workspace_id, key, hash, seed, leased_until_ms, expires_at_ms) VALUES (?1, 'k', 'h', 's', 0, 1)",
    ).bind(workspaceId),
    env.DB.prepare(
      "INSERT INTO api_key (workspace_no, id, name, grant_json, hash, created_by, created_at_ms) VALUES (?1, ?2, 'k', '{}', 'h', 'operator', 1)",
    ).bind(workspaceNo, own),
    env.DB.prepare(
      `INSERT INTO batch (subscription_no, members, cause, bound_at_ms, order_keys) VALUES (?1, '[1]', 'count', 1, '["a key"]')`,
    ).bind(first),
  ])
}

/** Every row of every table, as text; jobs and the relay's own marks are nobody's. */
export async function allRows(): Promise<string[]> {
  const { results: tables } = await env.DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_*' AND name NOT GLOB 'sqlite_*'",
  ).all<{ name: string }>()
  const owned = tables.filter(({ name }) => !['job', 'd1_migrations', 'key_check', 'claim'].includes(name))
  const results = await env.DB.batch(owned.map(({ name }) => env.DB.prepare(`SELECT * FROM ${name}`)))
  return owned.flatMap(({ name }, i) =>
    (results[i]?.results ?? []).map((row) => `${name} ${JSON.stringify(row)}`),
  )
}

/** What a workspace's row says of its deletion. */
export async function deletionOf(id: string): Promise<Record<string, unknown> | null> {
  const text = await env.DB.prepare('SELECT deletion FROM workspace WHERE id = ?1')
    .bind(id)
    .first<string>('deletion')
  return text === null ? null : (JSON.parse(text) as Record<string, unknown>)
}
