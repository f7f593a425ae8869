import { env } from 'cloudflare:workers'
import { purge } from '../../../src/retention/purge.ts'
import type { PurgeReport } from '../../../src/retention/purge-run.ts'
import { answer, type Rig } from './builders.ts'

export const DAY_MS = 86_400_000

/** Tables whose rows hang on events. */
export const HISTORY_TABLES = [
  'event',
  'event_key',
  'delivery',
  'attempt',
  'response_text',
  'kept_body',
] as const

/** How many rows each of them has. */
export async function historyCounts(): Promise<Record<string, number>> {
  const counts = await env.DB.batch<{ count: number }>(
    HISTORY_TABLES.map((name) => env.DB.prepare(`SELECT count(*) AS count FROM ${name}`)),
  )
  return Object.fromEntries(HISTORY_TABLES.map((name, i) => [name, counts[i]?.results[0]?.count ?? 0]))
}

export const NO_HISTORY = Object.fromEntries(HISTORY_TABLES.map((name) => [name, 0]))

/** Purges by a rig's clock and bindings. */
export async function purgeNow(
  rig: Pick<Rig, 'relay' | 'clock'>,
  { stepsMax = 100 }: { stepsMax?: number } = {},
): Promise<PurgeReport> {
  const { DB, BODIES } = rig.relay.env
  const deps = {
    db: DB,
    bodies: BODIES,
    now: () => rig.clock.nowMs,
    newKey: () => crypto.randomUUID(),
    sleep: async () => undefined,
  }
  return await purge(deps, { stepsMax })
}

/** Changes a workspace's settings past the API. */
export async function setRetention(
  workspaceNo: number,
  settings: { retentionDays?: number; retentionBytes?: number; archive?: boolean },
): Promise<void> {
  await env.DB.prepare('UPDATE workspace SET settings = json_patch(settings, ?2) WHERE no = ?1')
    .bind(workspaceNo, JSON.stringify(settings))
    .run()
}

/** Delivers what is due and sweeps, until the mark is above every event. */
export async function settleHistory(rig: Rig): Promise<void> {
  await rig.drain()
  rig.clock.nowMs += 60_000
  await rig.sweep()
}

/** Keys of all objects in R2. */
export async function objectKeys(): Promise<string[]> {
  const { objects } = await env.BODIES.list()
  return objects.map(({ key }) => key)
}

/** A text that goes to R2. */
export const LARGE = { text: 'x'.repeat(70_000) }

/** A workspace's marks and the count of its bytes. */
export const workspaceRow = (no: number) =>
  env.DB.prepare('SELECT swept_seq, purged_seq, stored_bytes FROM workspace WHERE no = ?1')
    .bind(no)
    .first<{ swept_seq: number; purged_seq: number; stored_bytes: number }>()

/** One of everything that hangs on events, settled: a keyed event, a large one, attempts, long answers, kept bodies. */
export async function everything(rig: Rig) {
  const plain = await rig.subscribe()
  const shaped = await rig.subscribe({
    transform: { template: { all: '{{data.text}}' }, contentType: 'application/json' },
  })
  rig.receivers.set(plain.settings.url, () => new Response('a long answer '.repeat(100)))
  rig.receivers.set(shaped.settings.url, answer(500))
  await rig.publish({}, { id: 'own', idempotencyKey: 'once' }, { data: LARGE })
  await rig.drain()
  rig.clock.nowMs += 10_000
  await rig.drain()
  rig.clock.nowMs += 20_000
  await rig.drain()
  rig.clock.nowMs += 30_000
  await settleHistory(rig)
  return { plain, shaped }
}

/** The events of an archive's object, as its lines have them. */
export async function archivedLines(key: string): Promise<ArchivedLine[]> {
  const lines = (await archiveText(key)).trimEnd().split('\n')
  return lines.slice(1).map((line) => JSON.parse(line) as ArchivedLine)
}

type ArchivedLine = {
  id: string
  ownId: string | null
  payload: string | null
  deliveries: { status: string; error: string | null; attempts: object[] }[]
}

/** All that is in an archive's object. */
export async function archiveText(key: string): Promise<string> {
  const object = await env.BODIES.get(key)
  if (object === null) throw new Error(`there is no ${key}`)
  return await new Response(object.body.pipeThrough(new DecompressionStream('gzip'))).text()
}
