import { createMessageBatch } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import type { DestinationAuth } from '../../../src/destination/auth.ts'
import { sealHeaders } from '../../../src/destination/sealed.ts'
import { readSettings, type Settings } from '../../../src/env.ts'
import type { DraftEvent } from '../../../src/model/event.ts'
import type { PublishOutcome } from '../../../src/publish/prepared-event.ts'
import { publish } from '../../../src/publish/publish.ts'
import { handleQueue } from '../../../src/queue.ts'
import { createRelay, type Relay } from '../../../src/relay.ts'
import { handleScheduled } from '../../../src/scheduled.ts'
import type { CreateSubscription } from '../../../src/subscription/input.ts'
import { sealParts } from '../../../src/subscription/secrets/seal.ts'
import { newSettings } from '../../../src/subscription/settings.ts'
import type { Subscription } from '../../../src/subscription/subscription.ts'
import { findSubscription, insertSubscription } from '../../../src/subscription/subscriptions.sql.ts'
import { ensureWorkspace, findWorkspaceNo } from '../../../src/workspace/workspaces.sql.ts'
import { HeldQueue } from './held-queue.ts'
import { bodiesUntilFileEnds, dbUntilFileEnds } from './test-file.ts'

/** Where every test's clock begins. */
export const START_MS = Date.UTC(2026, 10, 2, 12)
export const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

/** A request that a receiver was sent. */
export type Post = { url: string; headers: Headers; body: string; redirect: string | undefined }
/** What a receiver does with a request. */
export type Receiver = (post: Post, signal: AbortSignal | null) => Response | Promise<Response>

/** Empties D1 and R2: for tests whose sweeps would see each other's work. */
export async function freshStore(): Promise<void> {
  const tables = await env.DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_*' AND name NOT GLOB 'sqlite_*' AND name <> 'd1_migrations'",
  ).all<{ name: string }>()
  await env.DB.batch(tables.results.map(({ name }) => env.DB.prepare(`DELETE FROM "${name}"`)))
  const { objects } = await env.BODIES.list()
  if (objects.length > 0) await env.BODIES.delete(objects.map(({ key }) => key))
}

/** One isolate of the relay over the real D1 and R2, with a clock, receivers and queues that a test moves by hand. */
export type Rig = Awaited<ReturnType<typeof createRig>>

/** What a second isolate shares with the first: the clock, the receivers and the queues. */
export type World = ReturnType<typeof createWorld>

export function createWorld() {
  const clock = { nowMs: START_MS }
  return {
    clock,
    posts: [] as Post[],
    receivers: new Map<string, Receiver>(),
    fast: new HeldQueue('posthorn-deliveries', clock),
    bulk: new HeldQueue('posthorn-bulk-deliveries', clock),
    unproven: new HeldQueue('posthorn-unproven-deliveries', clock),
    retries: new HeldQueue('posthorn-retries', clock),
    bulkRetries: new HeldQueue('posthorn-bulk-retries', clock),
    paced: new HeldQueue('posthorn-paced', clock),
    deadLetters: new HeldQueue('posthorn-dead-letters', clock),
    /** Numbers come again in every test: each world has pacers of its own. */
    pacersOf: crypto.randomUUID(),
    logged: [] as { event: string; fields: Record<string, unknown> }[],
  }
}

/** The queues a relay sends to. */
export type Queues = {
  fast: Queue
  bulk?: Queue
  unproven: Queue
  retries: Queue
  bulkRetries?: Queue
  paced?: Queue
}

/** Overrides of what a rig is made of. */
export type RigOptions = {
  db?: D1Database
  bodies?: R2Bucket
  queues?: Queues
  world?: World
  workspace?: string
  /** In place of the settings of the tests' environment. */
  settings?: Partial<Settings>
  /** Bindings beside those of the tests' environment. */
  bindings?: object
}

export async function createRig(options: RigOptions = {}) {
  const world = options.world ?? createWorld()
  const { clock } = world
  const workspace = options.workspace ?? `ws-${crypto.randomUUID()}`
  const relay = createTestRelay(world, options)
  await ensureWorkspace(env.DB, workspace, clock.nowMs)
  const workspaceNo = (await findWorkspaceNo(env.DB, workspace)) ?? 0
  const background: Promise<unknown>[] = []
  const publishDeps = relay.publish((work) => void background.push(work))
  return {
    ...world,
    world,
    relay,
    workspace,
    workspaceNo,
    publishDeps,
    /** Publishes and waits for what the answer does not wait for. */
    async publish(...events: EventInput[]): Promise<PublishOutcome[]> {
      const items = events.map(({ idempotencyKey, ...event }) => {
        return { draft: draft(event), idempotencyKey: idempotencyKey ?? null }
      })
      const outcomes = await publish(publishDeps, workspace, items)
      await Promise.allSettled(background.splice(0))
      return outcomes
    },
    subscribe: (input: SubscriptionInput = {}) =>
      subscribe(relay, workspace, workspaceNo, input, clock.nowMs),
    consume: (queue: HeldQueue) => consumeOnce(relay, queue),
    /** Consumes whatever is visible now until nothing is left. */
    drain: () => drain(relay, world),
    sweep: (cron = '* * * * *') =>
      handleScheduled({ ok: true, relay }, { cron, scheduledTime: clock.nowMs, noRetry: () => undefined }),
    /** What a subscription's pacer does when its alarm rings. */
    ring: ({ no }: Subscription) =>
      world.paced.put({ v: 1, kind: 'paced', subscriptions: [{ no, alarm: true }] }),
    postsTo: (subscription: Subscription) =>
      world.posts.filter(({ url }) => url === subscription.settings.url),
    deliveries: () => deliveriesOf(workspaceNo),
  }
}

function createTestRelay(world: World, options: RigOptions): Relay {
  const settings = readSettings(env as unknown as Record<string, unknown>)
  if (!settings.ok) throw new Error(settings.message)
  const queues = options.queues ?? world
  const bindings = {
    ...env,
    DB: dbUntilFileEnds(options.db ?? env.DB),
    BODIES: bodiesUntilFileEnds(options.bodies ?? env.BODIES),
    DELIVERIES: queues.fast,
    BULK_DELIVERIES: queues.bulk ?? world.bulk,
    UNPROVEN_DELIVERIES: queues.unproven,
    RETRIES: queues.retries,
    BULK_RETRIES: queues.bulkRetries ?? world.bulkRetries,
    PACED: queues.paced ?? world.paced,
    PACERS: { getByName: (name: string) => env.PACERS.getByName(`${world.pacersOf}:${name}`) },
    LIMITERS: { getByName: (name: string) => env.LIMITERS.getByName(`${world.pacersOf}:${name}`) },
    EGRESS: { fetch: egress(world) },
    ...options.bindings,
  }
  return createRelay(
    bindings as unknown as Env,
    { ...settings.settings, ...options.settings },
    {
      now: () => world.clock.nowMs,
      random: () => 0,
      log: (event, fields) => void world.logged.push({ event, fields }),
      // A test moves the clock itself.
      sleep: async () => undefined,
    },
  )
}

function egress(world: World) {
  return async (url: string, init: RequestInit): Promise<Response> => {
    const body = new TextDecoder().decode(init.body as Uint8Array)
    const post = {
      url,
      headers: new Headers(init.headers),
      body,
      redirect: init.redirect as string | undefined,
    }
    world.posts.push(post)
    const receiver = world.receivers.get(url)
    return receiver === undefined ? new Response('ok') : await receiver(post, init.signal ?? null)
  }
}

/** A receiver that never answers; it ends when its request is given up. */
export const hang: Receiver = (_, signal) =>
  new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))

/** A receiver that answers with a status. */
export const answer =
  (status: number, headers: Record<string, string> = {}): Receiver =>
  () =>
    new Response(status === 204 ? null : `status ${status}`, { status, headers })

export type EventInput = {
  type?: string
  id?: string
  data?: object
  idempotencyKey?: string
  deliverAtMs?: number
}

/** An event as the HTTP edge hands it on. */
export function draft({ type = 'invoice.paid', id, data = {}, deliverAtMs }: EventInput): DraftEvent {
  return {
    type,
    ownId: id ?? null,
    timestamp: '2026-11-02T12:00:00Z',
    livemode: null,
    apiVersion: null,
    deliverAtMs: deliverAtMs ?? null,
    expiresAfterSeconds: null,
    data: { text: JSON.stringify(data), value: data },
    context: { text: '{}', value: {} },
    content: JSON.stringify([type, data]),
  }
}

export type SubscriptionInput = Partial<Omit<CreateSubscription, 'secret' | 'auth'>> & {
  auth?: DestinationAuth
  health?: 'unproven' | 'healthy' | 'suspect'
}

/** A subscription written by the relay's own statements; healthy and with three retries unless told otherwise. */
async function subscribe(
  relay: Relay,
  workspace: string,
  workspaceNo: number,
  input: SubscriptionInput,
  nowMs: number,
): Promise<Subscription> {
  const id = `webhook_${crypto.randomUUID().replaceAll('-', '')}`
  const owner = { workspaceId: workspace, id }
  const url = input.url ?? `https://${id.slice(8)}.example.com/hooks`
  const { events = ['*'], retryPolicy = { schedule: [10, 20, 30] }, timeoutSeconds = 10 } = input
  const { health, headers, auth, ...given } = input
  const settings = newSettings(
    { ...given, url, events, retryPolicy, timeoutSeconds },
    await sealHeaders(relay.vault, owner, headers),
  )
  const { asymmetric } = settings
  const sealed = await sealParts(relay.vault, { owner }, { secret: SECRET, auth: auth ?? null, asymmetric })
  const state = { active: input.active ?? true, disabledReason: null }
  const row = { workspaceNo, id, uid: null, ...state, settings, sealed }
  await insertSubscription(env.DB, row, { nowMs })
  const healthNo = ['unproven', 'healthy', 'suspect'].indexOf(health ?? 'healthy')
  await env.DB.prepare('UPDATE subscription SET health = ?2 WHERE id = ?1').bind(id, healthNo).run()
  const subscription = await findSubscription(env.DB, workspace, id)
  if (subscription === null) throw new Error('the subscription was not written')
  return subscription
}

/** Hands a queue's visible messages to the relay, and puts back those it wants again. */
async function consumeOnce(relay: Relay, queue: HeldQueue): Promise<number> {
  const messages = queue.take()
  if (messages.length === 0) return 0
  const batch = createMessageBatch(queue.name, messages)
  const ended = queue.watch(batch)
  const background: Promise<unknown>[] = []
  await handleQueue({ ok: true, relay }, batch, (work) => void background.push(work))
  await Promise.allSettled(background)
  queue.putBack(messages, ended)
  return messages.length
}

async function drain(relay: Relay, world: World): Promise<void> {
  const queues = [
    world.fast,
    world.bulk,
    world.unproven,
    world.retries,
    world.bulkRetries,
    world.paced,
    world.deadLetters,
  ]
  for (let rounds = 0; queues.some((queue) => queue.visible > 0); rounds++) {
    if (rounds === ROUNDS_MAX) throw new Error('the queues never run dry')
    for (const queue of queues) await consumeOnce(relay, queue)
  }
}

const ROUNDS_MAX = 300

/** A delivery's row. */
export type DeliveryRow = {
  subscription_no: number
  seq: number
  state: number
  due_at_ms: number | null
  attempts: number
  status: number | null
  error: string | null
  crashes: number
  batch_no: number | null
}

/** All delivery rows of a workspace, oldest event first. */
async function deliveriesOf(workspaceNo: number): Promise<DeliveryRow[]> {
  const { results } = await env.DB.prepare(
    `SELECT d.subscription_no, d.seq, d.state, d.due_at_ms, d.attempts, d.status, d.error, d.crashes, d.batch_no FROM delivery d
     JOIN subscription s ON s.no = d.subscription_no WHERE s.workspace_no = ?1 ORDER BY d.seq, d.subscription_no`,
  )
    .bind(workspaceNo)
    .all<DeliveryRow>()
  return results
}
