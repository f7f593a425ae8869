import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import type { Pacer } from '../../../../src/pacing/pacer/object.ts'
import type { WirePacerCall } from '../../../../src/pacing/pacer/protocol.ts'

export const BATCH = { maxEvents: 100, maxBytes: 1_000_000, maxWaitMs: 3_600_000 }
/** Not the real time: a pacer goes by its callers' clock. */
export const NOW_MS = Date.UTC(2026, 0, 2, 12)

/** What a test looks at inside the object; `env` is what its class takes the queue from. */
type Inside = { env: { PACED: Pick<Queue, 'send'> } }

let subscriptions = 1_000
let leases = 0

/** A new subscription's pacer, or one of its shards. */
export function createStub(shard = 0) {
  const no = ++subscriptions
  return { no, stub: env.PACERS.getByName(shard === 0 ? String(no) : `${no}/${shard}`) }
}

/** A call as it travels, which reports nothing but the members that are given. */
export function callOf(no: number, call: Partial<WirePacerCall>): WirePacerCall {
  return {
    v: 1,
    subscriptionNo: no,
    nowMs: NOW_MS,
    terms: { version: 1, batch: BATCH, rate: null, concurrency: null },
    noted: null,
    seen: null,
    finished: null,
    keeps: null,
    placesMax: null,
    wants: true,
    leaseId: `lease-${++leases}`,
    ...call,
  }
}

export const noted = (events: number) => ({ events, bytes: events, sinceMs: NOW_MS })

/** Replaces the queue of the object as it runs now. */
export async function withQueue(
  stub: DurableObjectStub<Pacer>,
  send: (hint: unknown, pacer: Pacer) => Promise<void>,
): Promise<void> {
  await runInDurableObject(stub, (instance) => {
    const queue = { send: (hint: unknown) => send(hint, instance) } as unknown as Queue
    const inside = instance as unknown as Inside
    inside.env = { ...inside.env, PACED: queue }
  })
}

/** What the object has stored and when its alarm rings, in milliseconds from now; null: never. */
export async function storedOf(stub: DurableObjectStub<Pacer>) {
  return await runInDurableObject(stub, async (_, ctx) => {
    const [row] = ctx.storage.sql.exec<{ state: string }>('SELECT state FROM pacer').toArray()
    const alarmAtMs = await ctx.storage.getAlarm()
    return {
      state: row === undefined ? null : (JSON.parse(row.state) as Record<string, unknown>),
      alarmInMs: alarmAtMs === null ? null : alarmAtMs - Date.now(),
    }
  })
}
