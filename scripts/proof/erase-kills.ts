import { globSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { RelayApi } from '../../test/process/support/relay-api.ts'
import { RelayClient } from '../../test/support/process/relay-client.ts'
import { RelayProcess } from '../../test/support/process/relay-process.ts'
import { between, type ProofContext, type ProofResult } from './proof.ts'

export type EraseKillsOptions = { events: number; kills: number }

const GONE = 'gone'
const STAYS = 'stays'
const EVENTS_PER_PUBLISH = 100
/** Longer than a killed run keeps a deletion, and than a deletion waits for outcomes that may still come. */
const PASSED_MS = 200_000
const DONE_MS_MAX = 120_000
const FREE_MS_MAX = 15_000

type Deletion = { phase: string; erased: { events: number } }
type Workspace = { status: string; deletion: Deletion | null }

/**
 * Deletes a workspace and kills node and workerd again and again while it is erased. After the last start nothing of it
 * may be left, its name must be free, and its neighbour must have all it had.
 */
export async function proveEraseKills(
  { random, progress, stateDir }: ProofContext,
  { events, kills }: EraseKillsOptions,
): Promise<ProofResult> {
  let relay = await RelayProcess.start({ stateDir })
  const phases: string[] = []
  try {
    await fill(relay, GONE, events)
    await fill(relay, STAYS, EVENTS_PER_PUBLISH)
    const before = await contentsOf(relay, STAYS)
    for (let kill = 1; kill <= kills; kill++) {
      await erase(relay)
      await sleep(between(random, 20, 900))
      await relay.kill9()
      phases.push(passTime(stateDir))
      progress(`kill ${kill}/${kills}, in the phase "${phases.at(-1)}"`)
      relay = await RelayProcess.start({ stateDir })
    }
    relay = await eraseToTheEnd(relay, stateDir)
    const violations = await judge(relay, before)
    await relay.stop()
    violations.push(...rowsLeft(stateDir))
    return { figures: { kills, events, 'phases that were killed': phases.join(', ') }, violations }
  } finally {
    await relay.kill9()
  }
}

async function fill(relay: RelayProcess, workspace: string, events: number): Promise<void> {
  const api = new RelayApi(relay, workspace)
  for (let n = 0; n < 3; n++) await api.subscribe({ url: 'http://127.0.0.1:9/refused', events: ['load.*'] })
  await api.call('POST', '/keys', { name: 'billing', role: 'publisher' })
  const client = new RelayClient(relay, workspace)
  for (let n = 0; n < events; n += EVENTS_PER_PUBLISH) {
    await client.publish(
      Array.from({ length: EVENTS_PER_PUBLISH }, (_, i) => ({
        id: `e${n + i}`,
        event: 'load.made',
        data: { text: 'x'.repeat(i === 0 ? 70_000 : 100) },
      })),
    )
  }
}

/** Asks for the deletion, which takes some steps at once. */
async function erase(relay: RelayProcess): Promise<Workspace | null> {
  const response = await callOfOperator(relay, 'DELETE', `/workspaces/${GONE}`)
  if (response.status === 404) return null
  return ((await response.json()) as { data: Workspace }).data
}

async function callOfOperator(relay: RelayProcess, method: string, at: string): Promise<Response> {
  const headers = { Authorization: `Bearer ${relay.adminKey}`, 'X-Company-Id': STAYS }
  return await fetch(`${relay.url}/api/v1${at}`, { method, headers, signal: AbortSignal.timeout(30_000) })
}

/** Goes on until the workspace is gone; what a deletion waits for passes while the relay is stopped. */
async function eraseToTheEnd(relay: RelayProcess, stateDir: string): Promise<RelayProcess> {
  const deadlineMs = Date.now() + DONE_MS_MAX
  let running = relay
  for (let found = await erase(running); found !== null; found = await erase(running)) {
    if (Date.now() > deadlineMs) throw new Error(`the deletion stays in the phase "${found.deletion?.phase}"`)
    if (found.deletion?.phase === 'settling') {
      await running.kill9()
      passTime(stateDir)
      running = await RelayProcess.start({ stateDir })
    }
    await sleep(200)
  }
  return running
}

/** What a workspace holds, as its own calls tell. */
async function contentsOf(relay: RelayProcess, workspace: string): Promise<string> {
  const api = new RelayApi(relay, workspace)
  const count = async (at: string) => (await api.call<unknown[]>('GET', `${at}?limit=1000`)).data.length
  return `${await count('/events')} events, ${await count('/webhooks')} subscriptions, ${await count('/keys')} keys`
}

async function judge(relay: RelayProcess, before: string): Promise<string[]> {
  const violations: string[] = []
  const after = await contentsOf(relay, STAYS)
  if (after !== before) violations.push(`the neighbour had ${before}, and has ${after}`)
  const anew = await onceFree(() => contentsOf(relay, GONE))
  if (anew !== '0 events, 0 subscriptions, 0 keys') violations.push(`the name was free, and had ${anew}`)
  return violations
}

/** An isolate may believe for some seconds yet that the deletion goes on. */
async function onceFree<T>(call: () => Promise<T>): Promise<T> {
  const deadlineMs = Date.now() + FREE_MS_MAX
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (!String(error).includes('was answered 410') || Date.now() > deadlineMs) throw error
      await sleep(500)
    }
  }
}

function databaseOf(stateDir: string): DatabaseSync {
  const file = globSync('v3/d1/*/*.sqlite', { cwd: stateDir }).find((name) => !name.includes('metadata'))
  return new DatabaseSync(path.join(stateDir, file ?? ''))
}

/** Moves the times of the deletion back, as if they had passed; answers its phase. */
function passTime(stateDir: string): string {
  const database = databaseOf(stateDir)
  try {
    const row = database.prepare('SELECT no, deletion FROM workspace WHERE id = ?').get(GONE)
    if (row === undefined) return 'done'
    const deletion = JSON.parse(String(row['deletion'])) as Record<string, number> & { phase: string }
    for (const name of ['phaseAtMs', 'leasedUntilMs']) {
      const atMs = deletion[name] ?? 0
      deletion[name] = Math.max(0, atMs - PASSED_MS)
    }
    database
      .prepare('UPDATE workspace SET deletion = ? WHERE no = ?')
      .run(JSON.stringify(deletion), row['no'] ?? null)
    return deletion.phase
  } finally {
    database.close()
  }
}

/** Rows of workspaces and subscriptions that there are not. */
function rowsLeft(stateDir: string): string[] {
  const database = databaseOf(stateDir)
  try {
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
    return tables.flatMap(({ name }) => {
      const columns = database.prepare('SELECT name FROM pragma_table_info(?)').all(String(name))
      const orphans = orphansOf(String(name), new Set(columns.map((column) => String(column['name']))))
      if (orphans === null) return []
      const left = database.prepare(`SELECT count(*) AS n FROM ${name} WHERE ${orphans}`).get()?.['n']
      return left === 0 ? [] : [`${left} rows of ${name} are left`]
    })
  } finally {
    database.close()
  }
}

/** Finds such rows of a table. The newest subscription may stay as a bare row, so that its number is not given again. */
function orphansOf(table: string, columns: ReadonlySet<string>): string | null {
  if (table === 'event') return 'pk >> 44 NOT IN (SELECT no FROM workspace)'
  if (table === 'subscription') return null
  if (columns.has('workspace_no'))
    return 'workspace_no NOT IN (SELECT no FROM workspace WHERE deletion IS NULL)'
  return columns.has('subscription_no') ? 'subscription_no NOT IN (SELECT no FROM subscription)' : null
}
