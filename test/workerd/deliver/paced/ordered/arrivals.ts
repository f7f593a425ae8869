import { setTimeout as after } from 'node:timers/promises'
import type { Subscription } from '../../../../../src/subscription/subscription.ts'
import type { EventInput, Rig } from '../../../../support/rig/builders.ts'

/** One event as its receiver got it; `atOnce` counts the requests under way when it began, itself included. */
export type Arrival = { id: string; key: unknown; status: number; atOnce: number; atMs: number }

/** What a receiver has seen: every event of every request, and how its requests overlapped. */
export type Arrivals = {
  all: Arrival[]
  /** Requests under way at once, at the most. */
  atOnceMax: () => number
  /** Ids of events that arrived while another one of their key was under way. */
  overlapping: string[]
  /** Ids in the order of their first arrival. */
  firsts: (key?: unknown) => string[]
  /** Ids in the order in which they were first answered 2xx. */
  successes: (key?: unknown) => string[]
}

/** What a receiver answers; it may take its time. */
export type Verdict = (arrival: { id: string; key: unknown; n: number }) => number | Promise<number>

type Sent = { id: string; data: { object?: { customerId?: unknown } } }

/**
 * Records what a subscription's receiver is sent, single events and batches. `verdict` says the status of a request by its
 * first event that is not answered 200; `n` counts the arrivals of that event, from 1.
 */
export function watchArrivals(rig: Rig, subscription: Subscription, verdict: Verdict = () => 200): Arrivals {
  const { ordered, orderingKey } = subscription.settings
  const isKeyed = ordered && orderingKey !== null
  const all: Arrival[] = []
  const overlapping: string[] = []
  const underWay = new Map<unknown, number>()
  let requests = 0
  rig.receivers.set(subscription.settings.url, async ({ body }) => {
    const sent = eventsOf(body).map(({ id, data }) => ({ id, key: isKeyed ? data.object?.customerId : '' }))
    const keys = new Set(sent.map(({ key }) => key))
    requests++
    const arrivals = sent.map(({ id, key }): Arrival => {
      if ((underWay.get(key) ?? 0) > 0) overlapping.push(id)
      return { id, key, status: 0, atOnce: requests, atMs: Date.now() }
    })
    all.push(...arrivals)
    for (const key of keys) underWay.set(key, (underWay.get(key) ?? 0) + 1)
    // Others have every chance to come too early.
    await after(0)
    const statuses = await Promise.all(
      sent.map(({ id, key }) => verdict({ id, key, n: all.filter((seen) => seen.id === id).length })),
    )
    const status = statuses.find((one) => one !== 200) ?? 200
    for (const arrival of arrivals) arrival.status = status
    for (const key of keys) underWay.set(key, (underWay.get(key) ?? 0) - 1)
    requests--
    return new Response(`status ${status}`, { status })
  })
  const idsOf = (key: unknown, isWanted: (arrival: Arrival) => boolean) => [
    ...new Set(all.filter((a) => isWanted(a) && (key === undefined || a.key === key)).map(({ id }) => id)),
  ]
  return {
    all,
    overlapping,
    atOnceMax: () => Math.max(0, ...all.map(({ atOnce }) => atOnce)),
    firsts: (key) => idsOf(key, () => true),
    successes: (key) => idsOf(key, ({ status }) => status === 200),
  }
}

function eventsOf(body: string): Sent[] {
  const payload = JSON.parse(body) as Sent | { events: Sent[] }
  return 'events' in payload ? payload.events : [payload]
}

/** Events `<prefix>-0`, `<prefix>-1`, … of one key; without a key where it is undefined. */
export function eventsFor(key: unknown, count: number, prefix = String(key), from = 0): EventInput[] {
  return Array.from({ length: count }, (_, i) => {
    return { id: `${prefix}-${from + i}`, data: { object: { customerId: key } } }
  })
}

/** The ids of events. */
export const idsOf = (events: readonly EventInput[]): string[] => events.map(({ id }) => id ?? '')

/** How many deliveries of a rig's workspace are in each state: pending, delivered, failed, skipped. */
export async function countStates(rig: Rig): Promise<number[]> {
  const counts = [0, 0, 0, 0]
  for (const { state } of await rig.deliveries()) counts[state] = (counts[state] ?? 0) + 1
  return counts
}

/** Settings under which every customer's events keep their order among themselves. */
export const BY_CUSTOMER = { ordered: true, orderingKey: 'data.object.customerId' } as const
