import { setTimeout as sleep } from 'node:timers/promises'
import { RelayClient } from '../../../test/support/process/relay-client.ts'
import { RelayProcess } from '../../../test/support/process/relay-process.ts'
import { waitUntil } from '../../../test/support/receivers/receiver.ts'
import { Kills } from '../kills.ts'
import { between, type ProofContext, type ProofResult, quantile, seconds } from '../proof.ts'
import { judgePaced, type PacedTerms } from './judge.ts'
import { PacedLoad } from './load.ts'
import { settledLog } from './log.ts'
import { PacedReceiver, type PacedRequest } from './receiver.ts'

export type PacingOptions = {
  events: number
  kills: number
  /** How long everything may take to arrive after the last start. */
  drainMs: number
  /** How long to watch for late doubles after everything has arrived. */
  watchMs: number
}

const RATE = { requests: 1_000, perSeconds: 1 }
const SUBSCRIPTIONS: readonly (PacedTerms & { settings: object })[] = [
  {
    ...{ path: '/batched', maxEvents: 100, order: null },
    settings: { batchSettings: { enabled: true, maxEvents: 100, maxWaitTime: 2 } },
  },
  {
    ...{ path: '/ordered', maxEvents: null, order: 'key' },
    settings: { ordered: true, orderingKey: 'data.object.customerId' },
  },
  {
    ...{ path: '/ordered-batches', maxEvents: 50, order: 'all' },
    settings: { ordered: true, batchSettings: { enabled: true, maxEvents: 50, maxWaitTime: 1 } },
  },
  { ...{ path: '/limited', maxEvents: null, order: null }, settings: { rateLimit: RATE } },
]
const KEYS = 20
const CONNECTIONS = 4
const FAILING_SHARE = 0.05

/**
 * Publishes to batched, ordered and limited subscriptions whose receivers fail now and then, and kills node and workerd
 * at random moments from the first publish to the last outcome. Every event must arrive everywhere, in exactly one batch,
 * in accepted order where that is asked for, and only what was in flight at a kill may come twice.
 */
export async function provePacing(context: ProofContext, options: PacingOptions): Promise<ProofResult> {
  const { random, stateDir } = context
  const { events } = options
  const receiver = await PacedReceiver.start(() => random() < FAILING_SHARE)
  const load = new PacedLoad({ events, keys: KEYS, connections: CONNECTIONS, random })
  const kills = new Kills(receiver)
  let relay = await RelayProcess.start({ stateDir })
  try {
    const webhookIds = await subscribe(relay, receiver)
    for (let kill = 1; kill <= options.kills; kill++) {
      const until = (events * kill) / options.kills
      await loadAndKill(relay, load, { kills, random, isLast: kill === options.kills, until })
      context.progress(`kill ${kill}/${options.kills}: ${progress(load, receiver)}`)
      relay = await RelayProcess.start({ stateDir })
    }
    const startedAtMs = Date.now()
    await finish(relay, load)
    const { accepted } = load.ledger
    const isComplete = () => SUBSCRIPTIONS.every(({ path }) => isSubset(accepted, receiver.delivered(path)))
    await waitUntil(isComplete, options.drainMs)
    const drainedMs = Date.now() - startedAtMs
    await sleep(options.watchMs)
    context.progress(`drained: ${progress(load, receiver)}`)
    return await judge(relay, { load, receiver, kills, drainedMs, webhookIds })
  } finally {
    await relay.kill9()
    await receiver.close()
  }
}

async function subscribe(relay: RelayProcess, receiver: PacedReceiver): Promise<string[]> {
  const client = new RelayClient(relay)
  const retryPolicy = { schedule: Array.from({ length: 30 }, () => 1) }
  const ids: string[] = []
  for (const { path, settings } of SUBSCRIPTIONS)
    ids.push(
      await client.subscribe({ url: receiver.url(path), events: ['load.*'], retryPolicy, ...settings }),
    )
  return ids
}

type Killing = { kills: Kills; random: () => number; isLast: boolean; until: number }

/** Kills once a share of the events has been accepted; the last time after all have been, while they are settled. */
async function loadAndKill(relay: RelayProcess, load: PacedLoad, killing: Killing): Promise<void> {
  const { kills, random, isLast, until } = killing
  const client = new RelayClient(relay)
  const running = load.run(client)
  if (isLast) await running
  else await waitUntil(() => load.ledger.accepted.size >= until * (0.5 + random() / 2), 60_000)
  await sleep(between(random, 0, isLast ? 2_500 : 500))
  await kills.kill(relay, client)
  load.stop()
  await running
}

/** Sends again what had no answer, as a publisher does. */
async function finish(relay: RelayProcess, load: PacedLoad): Promise<void> {
  const timer = setTimeout(() => load.stop(), 60_000)
  await load.run(new RelayClient(relay))
  clearTimeout(timer)
  if (!load.isDone) throw new Error('the relay does not take what was published before the kills')
}

type Settled = {
  load: PacedLoad
  receiver: PacedReceiver
  kills: Kills
  drainedMs: number
  webhookIds: readonly string[]
}

async function judge(relay: RelayProcess, settled: Settled): Promise<ProofResult> {
  const { load, receiver, kills, drainedMs, webhookIds } = settled
  const { accepted, unanswered, refused } = load.ledger
  const result: ProofResult = {
    figures: {
      'events accepted, kills': `${accepted.size}, ${kills.count}`,
      'events without an answer, publishes refused': `${unanswered}, ${refused}`,
      'drained after the last start': seconds(drainedMs),
    },
    violations: [],
  }
  for (const [i, terms] of SUBSCRIPTIONS.entries()) {
    const log = await settledLog(relay, webhookIds[i] ?? '', 15_000)
    const requests = receiver.requests(terms.path)
    const { doubled, violations } = judgePaced({ terms, log, requests, accepted, kills })
    result.violations.push(...violations)
    const sizes = requests.map(({ members }) => members.length)
    result.figures[terms.path] = [
      `${log.length} events in ${requests.length} requests`,
      `${requests.filter(({ isSuccess }) => !isSuccess).length} of them failed`,
      ...(terms.maxEvents === null ? [] : [`median of ${quantile(sizes, 0.5)} events`]),
      `${doubled} doubled: in flight at a kill`,
      ...(terms.path === '/limited' ? [`at most ${mostWithin(requests, 1_000)} in a second`] : []),
    ].join(', ')
  }
  return result
}

function progress(load: PacedLoad, receiver: PacedReceiver): string {
  const arrived = SUBSCRIPTIONS.map(({ path }) => `${receiver.delivered(path).size} at ${path}`)
  return `${load.ledger.accepted.size} accepted, ${arrived.join(', ')}`
}

/** The most requests that arrived within a span. */
function mostWithin(requests: readonly PacedRequest[], spanMs: number): number {
  let most = 0
  let first = 0
  for (const [i, { atMs }] of requests.entries()) {
    while ((requests[first]?.atMs ?? atMs) <= atMs - spanMs) first++
    most = Math.max(most, i - first + 1)
  }
  return most
}

function isSubset(part: ReadonlySet<string>, whole: ReadonlySet<string>): boolean {
  return whole.size >= part.size && [...part].every((id) => whole.has(id))
}
