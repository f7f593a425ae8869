import { env } from 'cloudflare:workers'
import { type DeliveryState, stateNumber } from '../../../src/model/delivery.ts'
import type { ReplayScope, ReplaySelection } from '../../../src/replay/replay.ts'
import { findReplay, type Replay } from '../../../src/replay/replays.sql.ts'
import { runReplayStep } from '../../../src/replay/run.ts'
import { startReplay } from '../../../src/replay/start.ts'
import type { Subscription } from '../../../src/subscription/subscription.ts'
import type { EventInput, Rig } from './builders.ts'

/** A selection of ended failures unless told otherwise. */
export const selection = (change: Partial<ReplaySelection> = {}): ReplaySelection => ({
  ...{ kind: 'subscription', statuses: ['failed'], events: null, acceptedFromMs: null, acceptedToMs: null },
  ...{ backfill: false, ratePerSecond: null },
  ...change,
})

/** How a delivery stands; one that `retries` has failed and has an attempt ahead. */
export type Standing = DeliveryState | 'retries'

/** Publishes an event for each standing, whose hints are lost, and gives its delivery a row that stands so. Answers seqs. */
export async function publishStanding(
  rig: Rig,
  subscription: Subscription,
  standings: readonly Standing[],
  event: EventInput = {},
): Promise<number[]> {
  await rig.publish(...standings.map((_, n) => ({ ...event, data: { n, ...event.data } })))
  for (const queue of [rig.fast, rig.unproven]) queue.lose()
  const seqs = (await newestSeqs(rig, standings.length)).reverse()
  await env.DB.batch(
    standings.map((standing, i) =>
      env.DB.prepare(
        `INSERT INTO delivery (subscription_no, seq, type, state, due_at_ms, attempts, last_at_ms, status, error, payload)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0)`,
      ).bind(
        ...[subscription.no, seqs[i], event.type ?? 'invoice.paid'],
        ...[standing === 'retries' ? stateNumber('failed') : stateNumber(standing)],
        ...[standing === 'retries' ? rig.clock.nowMs + 3_600_000 : null],
        ...[standing === 'pending' || standing === 'skipped' ? 0 : 1, rig.clock.nowMs, 200],
        standing === 'skipped' ? 'disabled' : standing === 'success' ? null : 'http_status',
      ),
    ),
  )
  return seqs
}

/** Sequence numbers of a workspace's newest events, newest first. */
export async function newestSeqs(rig: Rig, count: number): Promise<number[]> {
  const { results } = await env.DB.prepare(
    `SELECT pk & ${2 ** 44 - 1} AS seq FROM event WHERE pk >> 44 = ?1 ORDER BY pk DESC LIMIT ?2`,
  )
    .bind(rig.workspaceNo, count)
    .all<{ seq: number }>()
  return results.map(({ seq }) => seq)
}

/** What a rig's isolate steps replays with. */
export const depsOf = ({ relay: { env: bindings, now } }: Rig) => ({
  db: bindings.DB,
  bodies: bindings.BODIES,
  now,
})

/** Starts a replay of a rig's workspace; of a subscription where one is given. */
export async function start(rig: Rig, scope: ReplayScope, subscription?: Subscription): Promise<Replay> {
  const { workspaceNo } = rig
  const started = await startReplay(
    { db: env.DB, now: rig.relay.now, newKey: () => crypto.randomUUID() },
    { workspaceNo, subscriptionNo: subscription?.no ?? null, scope, boundTo: null },
  )
  if (started.kind === 'refused') throw new Error(started.reason)
  return started.replay
}

/** Makes every step of a replay, waiting by the rig's clock where a step asks for it. Answers the replay as it ended. */
export async function runToEnd(rig: Rig, { no, id }: Replay): Promise<Replay> {
  for (let steps = 0; steps < 1_000; steps++) {
    const { more, nextStepAtMs, wake } = await runReplayStep(depsOf(rig), no)
    await rig.relay.hints.dueAt(wake)
    if (!more) return await current(rig, id)
    rig.clock.nowMs = Math.max(rig.clock.nowMs, nextStepAtMs)
  }
  throw new Error('the replay never ends')
}

/** A replay as it stands now. */
export async function current(rig: Rig, id: string): Promise<Replay> {
  const replay = await findReplay(env.DB, rig.workspace, id)
  if (replay === null) throw new Error('there is no such replay')
  return replay
}

/** Starts a replay and makes all of its steps. */
export async function replayAll(rig: Rig, scope: ReplayScope, subscription?: Subscription): Promise<Replay> {
  return await runToEnd(rig, await start(rig, scope, subscription))
}

/** Sequence numbers that are due for a subscription, oldest first. */
export async function dueSeqs({ no }: Subscription): Promise<number[]> {
  const { results } = await env.DB.prepare(
    'SELECT seq FROM delivery WHERE subscription_no = ?1 AND due_at_ms IS NOT NULL ORDER BY seq',
  )
    .bind(no)
    .all<{ seq: number }>()
  return results.map(({ seq }) => seq)
}

/** A replay as the API shows it. */
export type ReplayAnswer = {
  id: string
  webhookId: string | null
  eventId: string | null
  state: string
  examined: number
  replayed: number
  error: string | null
  createdAt: string
  finishedAt: string | null
  request: Record<string, unknown>
}

/** A value so many times. */
export const many = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value)
