import { env } from 'cloudflare:workers'
import { expect, vi } from 'vitest'
import { batchIdOf } from '../../../src/model/delivery.ts'
import type { BatchSettings } from '../../../src/pacing/settings.ts'
import type { Subscription } from '../../../src/subscription/subscription.ts'
import type { DeliveryAnswer } from '../process/http-client.ts'
import {
  answer,
  createRig,
  type EventInput,
  type Post,
  type Receiver,
  type Rig,
  type SubscriptionInput,
} from './builders.ts'
import { rowsTo } from './receiver-state.ts'
import { clientOf } from './rig-client.ts'

/** Seed 002's batch payload. */
export type BatchBody = {
  batch: boolean
  events: ({ id: string; event: string } & Record<string, unknown>)[]
  batchId: string
  batchTimestamp: string
}

/** A batch's row; `members` are sequence numbers. */
export type BatchRow = {
  no: number
  members: number[]
  cause: string
  fresh: number
  attempts: number
  due_at_ms: number | null
  body: string | null
  body_key: string | null
}

/** Complete batch settings: limits so wide that nothing is flushed by them unless told otherwise. */
export function batching(given: Partial<BatchSettings> = {}): BatchSettings {
  const wide = { maxEvents: 1000, maxWaitTime: 300, maxBytes: 1_000_000, flushOnEvent: [] }
  return { enabled: true, ...wide, ...given }
}

/** An event that is told apart by its id. */
export function event(id: string, type = 'invoice.created'): EventInput {
  return { id, type, data: { id } }
}

/** Events `e0`, `e1`, … */
export function events(count: number, from = 0): EventInput[] {
  return Array.from({ length: count }, (_, n) => event(`e${from + n}`))
}

/** The ids of `events`. */
export function ids(count: number, from = 0): string[] {
  return events(count, from).map(({ id }) => id as string)
}

/** A request's body as a batch. */
export function batchOf({ body }: Post): BatchBody {
  return JSON.parse(body) as BatchBody
}

/** The ids of the events in a request. */
export function idsIn(post: Post): string[] {
  return batchOf(post).events.map(({ id }) => id)
}

/** What a receiver was sent, each batch as the ids of its events. */
export function batchesTo(rig: Rig, subscription: Subscription): string[][] {
  return rig.postsTo(subscription).map(idsIn)
}

/** A subscription's batches, oldest first. */
export async function batchRows({ no }: Pick<Subscription, 'no'>): Promise<BatchRow[]> {
  const { results } = await env.DB.prepare(
    'SELECT no, members, cause, fresh, attempts, due_at_ms, body, body_key FROM batch WHERE subscription_no = ?1 ORDER BY no',
  )
    .bind(no)
    .all<Omit<BatchRow, 'members'> & { members: string }>()
  return results.map((row) => ({ ...row, members: JSON.parse(row.members) as number[] }))
}

/** Moves the clock, lets the pacer's alarm ring and serves what is due. */
export async function ringAfter(rig: Rig, subscription: Subscription, ms: number): Promise<void> {
  rig.clock.nowMs += ms
  rig.ring(subscription)
  await rig.drain()
}

/** Moves the clock and serves what was put off until then. */
export async function drainAfter(rig: Rig, ms: number): Promise<void> {
  rig.clock.nowMs += ms
  await rig.drain()
}

/** A call to the API after which somebody is to look at what waits; waits for the hint. Answers the call's answer. */
export async function ask(
  rig: Rig,
  method: string,
  path: string,
  json?: object,
): Promise<{ status: number; data: Record<string, unknown> }> {
  const hints = () => rig.paced.bodies.length + rig.retries.bodies.length
  const before = hints()
  const answer = await clientOf(rig).call(method, path, { json })
  expect(answer.status, answer.text).toBeLessThan(300)
  // No answer waits for its hint.
  await vi.waitUntil(() => hints() > before, { timeout: 4000, interval: 5 })
  return answer
}

/** The same, and serves whatever is due. */
export async function askAndServe(...[rig, ...call]: Parameters<typeof ask>): ReturnType<typeof ask> {
  const answer = await ask(rig, ...call)
  await rig.drain()
  return answer
}

/** The log of a subscription as the API shows it, oldest event first. */
export async function logOf(rig: Rig, { id }: Subscription): Promise<DeliveryAnswer[]> {
  return (await clientOf(rig).all<DeliveryAnswer>(`/webhooks/${id}/logs`, 100)).reverse()
}

/**
 * Checks that a receiver was sent exactly these batches, for these causes, each in seed 002's form under its own id, and
 * that the log of each event names the batch that carried it.
 */
export async function expectBatches(
  rig: Rig,
  subscription: Subscription,
  expected: readonly (readonly [cause: string, ids: readonly string[]])[],
): Promise<void> {
  const posts = rig.postsTo(subscription)
  expect(posts.map(idsIn)).toEqual(expected.map(([, members]) => members))
  const rows = await batchRows(subscription)
  const rowsById = new Map(
    rows.map((row) => [batchIdOf({ subscriptionNo: subscription.no, batchNo: row.no }), row]),
  )
  const sent = posts.map((post) => rowsById.get(batchOf(post).batchId))
  expect(sent.map((row) => row?.cause)).toEqual(expected.map(([cause]) => cause))
  expect(sent.every((row) => row?.due_at_ms === null)).toBe(true)
  const log = new Map((await logOf(rig, subscription)).map((row) => [row.eventId, row]))
  for (const post of posts) {
    expectSeedForm(post)
    const { batchId, events: members } = batchOf(post)
    for (const { id } of members) expect(log.get(id), id).toMatchObject({ batchId, status: 'success' })
  }
}

function expectSeedForm(post: Post): void {
  const body = batchOf(post)
  expect(Object.keys(body)).toEqual(['batch', 'events', 'batchId', 'batchTimestamp'])
  expect(body.batch).toBe(true)
  expect(body.batchId).toMatch(/^batch_/)
  expect(new Date(body.batchTimestamp).toISOString()).toBe(body.batchTimestamp)
  expect(post.headers.get('webhook-id')).toBe(body.batchId)
  expect(post.headers.get('content-type')).toBe('application/json')
  for (const member of body.events) {
    expect(Object.keys(member)).toEqual(expect.arrayContaining(['id', 'event', 'timestamp', 'data']))
  }
}

/** A receiver that answers each request in turn, the last answer for ever. */
export function inTurn(...receivers: Receiver[]): Receiver {
  let n = 0
  return (post, signal) => (receivers[Math.min(n++, receivers.length - 1)] ?? answer(200))(post, signal)
}

/** Batches of three to one receiver, with retries after 10, 20 and 30 seconds. */
export async function batchScene(receiver: Receiver, settings: SubscriptionInput = {}) {
  const rig = await createRig()
  const subscription = await rig.subscribe({ batchSettings: batching({ maxEvents: 3 }), ...settings })
  rig.receivers.set(subscription.settings.url, receiver)
  return { rig, subscription }
}

/** States of the deliveries to a subscription, oldest event first. */
export async function statesOf(rig: Rig, subscription: Subscription): Promise<number[]> {
  return (await rowsTo(rig, subscription)).map(({ state }) => state)
}
