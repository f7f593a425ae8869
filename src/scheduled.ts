import { describeError } from './base/log.ts'
import { sleep } from './base/time.ts'
import { type SweepDeps, sweep } from './operate/sweep.ts'
import { probeDisabled } from './publish/probes/probe-disabled.ts'
import type { Relay, RelayResult } from './relay.ts'
import { purge } from './retention/purge.ts'
import type { PurgeDeps } from './retention/purge-run.ts'

/** The cron that `npm start` calls at its start: no consumer of an earlier process is alive. */
const START = '@start'

/** The cron that `npm start` calls before its end. */
const STOP = '@stop'
/** What is under way at a stop has so long; outcomes are settled within `calmMs` of the last answer. */
const STOP_TERMS = { waitMs: 5_000, calmMs: 500 }

/** The cron of the purge: an invocation of its own, since the platform bounds the queries of each (see wrangler.toml). */
const PURGE = '*/2 * * * *'
/** Steps of one purge, 250 events each: with up to 12 statements a step they stay below the 1,000 of an invocation. */
const PURGE_STEPS_MAX = 60
/** The cron that erases workspaces whose deletion was requested, likewise. */
const ERASE = '1-59/2 * * * *'
/** Steps of one such run, up to nine statements each. */
const ERASE_STEPS_MAX = 100

/** Runs a periodic job. One that fails is logged and rethrown, so that the platform shows it as failed. */
export async function handleScheduled(result: RelayResult, controller: ScheduledController): Promise<void> {
  if (!result.ok) throw new Error(result.message)
  const relay = result.relay
  if (controller.cron === STOP) {
    await relay.drain.close(STOP_TERMS)
  } else if (controller.cron === PURGE) {
    await run(relay, 'purge', () => purge(purgeDeps(relay), { stepsMax: PURGE_STEPS_MAX }))
  } else if (controller.cron === ERASE) {
    await run(relay, 'erase', async () => {
      const report = await relay.eraseWorkspaces(ERASE_STEPS_MAX)
      return report.steps + report.failed === 0 ? null : report
    })
  } else {
    await run(relay, 'sweep', async () => {
      const aloneSinceMs = controller.cron === START ? relay.startedAtMs : null
      const report = await sweep(sweepDeps(relay), { aloneSinceMs })
      return { ...report, probed: await probe(relay) }
    })
  }
}

async function run(relay: Relay, job: string, work: () => Promise<object | null>): Promise<void> {
  const startedAtMs = relay.now()
  try {
    const report = await work()
    if (report !== null) relay.log(`${job}.completed`, { ...report, durationMs: relay.now() - startedAtMs })
  } catch (error) {
    relay.log(`${job}.failed`, { error: describeError(error), durationMs: relay.now() - startedAtMs })
    throw error
  } finally {
    relay.lineBudget.flush()
  }
}

/** Tries receivers again that were given up; what their publishes started is awaited. */
async function probe(relay: Relay): Promise<number> {
  const background: Promise<unknown>[] = []
  const probed = await probeDisabled(relay.publish((work) => void background.push(work)))
  await Promise.allSettled(background)
  return probed
}

function purgeDeps({ env, now }: Relay): PurgeDeps {
  return {
    db: env.DB,
    bodies: env.BODIES,
    now,
    newKey: () => crypto.randomUUID(),
    sleep,
  }
}

function sweepDeps({ env, now, hints }: Relay): SweepDeps {
  const queues = [env.DELIVERIES, env.BULK_DELIVERIES, env.UNPROVEN_DELIVERIES]
  return { db: env.DB, now, hints, queuedSinceMs: () => oldestQueuedMs(queues) }
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
