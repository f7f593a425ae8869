import type { StatusDeps } from '../../operate/status.ts'
import type { Relay } from '../../relay.ts'

/** What the state of a relay is read from. The queue of dead letters has no producer, and so cannot be asked. */
export function statusDeps({ env, now, settings }: Relay): StatusDeps {
  const queues = [
    ['deliveries', env.DELIVERIES],
    ['unproven-deliveries', env.UNPROVEN_DELIVERIES],
    ['retries', env.RETRIES],
    ['paced', env.PACED],
  ] as const
  return {
    db: env.DB,
    now,
    maxDatabaseBytes: settings.maxDatabaseBytes,
    queues: queues.map(([name, queue]) => ({ name, metrics: () => queue.metrics() })),
  }
}
