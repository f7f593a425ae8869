import type { Context } from 'hono'
import { Reach } from '../access/binding.ts'
import { bindingOf, type Caller } from '../access/caller.ts'
import { describeError } from '../base/log.ts'
import { sleep } from '../base/time.ts'
import type { DestinationRules } from '../destination/url.ts'
import type { StatusDeps } from '../operate/status.ts'
import type { PublishDeps } from '../publish/publish.ts'
import { isReceivedLogged, logReceived } from '../publish/received-line.ts'
import type { Relay } from '../relay.ts'
import type { ApiDeps, AppEnv } from './context.ts'
import type { CallerLimits } from './limits/caller-limits.ts'

/** Steps of a deletion that its request takes itself. */
const ERASE_STEPS_MAX = 10

/** What a call without a credential may reach. */
export function publicDeps({ env, vault, now }: Relay): Pick<ApiDeps, 'db' | 'vault' | 'now'> {
  return { db: env.DB, vault, now }
}

/** A caller, and what their publishes are held to: `judge` lets them publish or not, `limits` as much as is left. */
export type Holds = Pick<ApiDeps, 'isStillAllowed'> & {
  caller: Caller
  judge: PublishDeps['judge']
  limits: CallerLimits
}

/** Everything that the call of one request may reach. */
export function apiDeps(relay: Relay, c: Context<AppEnv>, holds: Holds): ApiDeps {
  const { caller, judge, limits, isStillAllowed } = holds
  const { env, vault, now, log, hints } = relay
  const background = (work: Promise<unknown>) => c.executionCtx.waitUntil(work)
  return {
    db: env.DB,
    bodies: env.BODIES,
    bodyBudgets: relay.bodyBudgets,
    vault,
    portalTokens: relay.access.portalTokens,
    portalOrigin: relay.settings.portalOrigin,
    reach: new Reach(bindingOf(caller)),
    now,
    newKey: () => crypto.randomUUID(),
    log,
    audit: relay.audit,
    hints,
    background,
    destinations: destinationRules(relay, new URL(c.req.url).hostname),
    capacity: () => relay.capacity(background),
    publish: {
      ...relay.publish(background),
      judge,
      admit: limits.admitEvents,
      sleep,
    },
    limits,
    subscriptionsMax: limits.subscriptionsMax,
    logReceived: (request, answers) => {
      if (!isReceivedLogged(relay, answers)) return
      logReceived(relay, { ...request, requestId: c.get('requestId') }, answers)
    },
    preview: { ...relay.request, db: env.DB, bodies: env.BODIES },
    status: statusDeps(relay),
    streams: relay.streams,
    listeners: relay.listeners,
    isStillAllowed,
    deletions: relay.deletions,
    eraseWorkspaces: () => eraseSome(relay),
  }
}

function destinationRules({ settings, request }: Relay, calledBy: string): DestinationRules {
  const { allowPrivateDestinations: allowPrivate, ownHostnames: named } = settings
  const ownHostnames = allowPrivate ? named : [...named, calledBy]
  return { ...request.destinations, allowPrivate, ownHostnames }
}

/** The first steps follow the answer at once, so that deliveries stop; the rest is the cron's. */
async function eraseSome({ eraseWorkspaces, log }: Relay): Promise<void> {
  try {
    await eraseWorkspaces(ERASE_STEPS_MAX)
  } catch (error) {
    log('erase.failed', { error: describeError(error) })
  }
}

/** The queue of dead letters has no producer, and so cannot be asked. */
function statusDeps({ env, now, settings }: Relay): StatusDeps {
  const queues = {
    deliveries: env.DELIVERIES,
    'bulk-deliveries': env.BULK_DELIVERIES,
    'unproven-deliveries': env.UNPROVEN_DELIVERIES,
    retries: env.RETRIES,
    'bulk-retries': env.BULK_RETRIES,
    paced: env.PACED,
  }
  return {
    db: env.DB,
    now,
    maxDatabaseBytes: settings.maxDatabaseBytes,
    queues: Object.entries(queues).map(([name, queue]) => ({ name, metrics: () => queue.metrics() })),
  }
}
