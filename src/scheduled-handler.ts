import type { Relay, RelayResult } from './deps.ts'
import { describeError } from './log.ts'
import { sweep } from './pipeline/sweep.ts'
import { sendHints } from './queue/producer.ts'

/** What `npm start` says at its start: no consumer of an earlier process is alive. */
const START = '@start'

/** Runs the periodic jobs. A job that fails is logged and rethrown, so that the platform shows it as failed. */
export async function handleScheduled(result: RelayResult, controller: ScheduledController): Promise<void> {
  if (!result.ok) throw new Error(result.message)
  const relay = result.relay
  const startedAtMs = relay.now()
  try {
    const report = await sweep(sweepDeps(relay), { alone: controller.cron === START })
    relay.log('sweep.completed', { ...report, durationMs: relay.now() - startedAtMs })
  } catch (error) {
    relay.log('sweep.failed', { error: describeError(error), durationMs: relay.now() - startedAtMs })
    throw error
  }
}

function sweepDeps(relay: Relay): Parameters<typeof sweep>[0] {
  const { env } = relay
  return {
    db: env.DB,
    now: relay.now,
    sendEvents: (hints) =>
      sendHints(
        env.DELIVERIES,
        hints.map((hint) => ({ hint, delaySeconds: 0 })),
      ),
    wake: (dueMs) => relay.wake(dueMs, { overdue: true }),
    queuedSinceMs: () => oldestQueuedMs([env.DELIVERIES, env.UNPROVEN_DELIVERIES]),
  }
}

/** When the oldest waiting hint was sent. Metrics are a courtesy of the platform: without them nothing is held back. */
async function oldestQueuedMs(queues: readonly Queue[]): Promise<number | null> {
  const times = await Promise.all(
    queues.map(async (queue) => {
      try {
        return (await queue.metrics()).oldestMessageTimestamp?.getTime() ?? null
      } catch {
        return null
      }
    }),
  )
  const known = times.filter((time) => time !== null && time > 0)
  return known.length === 0 ? null : Math.min(...(known as number[]))
}
