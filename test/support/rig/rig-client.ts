import { vi } from 'vitest'
import { type Accepted, appOf, Client } from '../process/http-client.ts'
import type { Rig } from './builders.ts'

/** Speaks the API of a rig's own isolate, in the rig's workspace: calls see the rig's clock, queues and receivers. */
export function clientOf(rig: Rig, workspace = rig.workspace, key?: string): Client {
  const target = appOf(() => ({ ok: true, relay: rig.relay }))
  return new Client(workspace, { target, ...(key !== undefined && { key }) })
}

/** Waits for the hint of what was just committed, which no answer waits for, and delivers all that is due. */
export async function deliver(rig: Rig): Promise<void> {
  const queues = [rig.fast, rig.unproven, rig.retries]
  await vi.waitUntil(() => queues.some((queue) => queue.visible > 0), { timeout: 4000, interval: 5 })
  await rig.drain()
}

/** Publishes over HTTP and delivers. */
export async function publishAndDeliver(rig: Rig, client: Client, event: object): Promise<Accepted> {
  const accepted = await client.publish(event)
  await deliver(rig)
  return accepted
}
