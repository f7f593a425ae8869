import { setTimeout as after } from 'node:timers/promises'
import type { Subscription } from '../../../../../src/subscription/subscription.ts'
import { createWorld, type Rig } from '../../../../support/rig/builders.ts'

/** A world whose clock is the machine's. */
export function realWorld() {
  const world = createWorld()
  Object.defineProperty(world.clock, 'nowMs', { get: () => Date.now() })
  return world
}

/** Lets consumers and, with `rings`, alarms come as they do in real time, until what is answered is called. */
export function serving(rig: Rig, subscription: Subscription, { rings = true } = {}): () => Promise<void> {
  let isOver = false
  const running = new Set<Promise<unknown>>()
  const serve = async () => {
    while (!isOver) {
      if (rings) rig.ring(subscription)
      for (const queue of [rig.retries, rig.paced]) {
        const work: Promise<unknown> = rig.consume(queue).finally(() => running.delete(work))
        running.add(work)
      }
      await after(50)
    }
  }
  const served = serve()
  return async () => {
    isOver = true
    await served
    await Promise.all(running)
  }
}
