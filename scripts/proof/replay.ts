import { setTimeout as sleep } from 'node:timers/promises'
import { RelayClient } from '../../test/support/process/relay-client.ts'
import { RelayProcess } from '../../test/support/process/relay-process.ts'
import { isSuccess, type Received, Receiver, waitUntil } from '../../test/support/receivers/receiver.ts'
import { Kills } from './kills.ts'
import { between, type ProofContext, type ProofResult, seconds } from './proof.ts'

export type ReplayCrashOptions = {
  events: number
  /** How often the relay is killed while the replay runs. */
  kills: number
  ratePerSecond: number
  /** How long everything may take to arrive after the last start. */
  drainMs: number
  /** How long to watch for late doubles after everything has arrived. */
  watchMs: number
}

const PATH = '/hooks'
const EVENTS_PER_REQUEST = 500

type Job = { id: string; state: string; replayed: number }

/**
 * Delivers events, replays all of them, and kills node and workerd in the middle of it: each must arrive once more under the
 * replay's id, and only one that was in flight at a kill may arrive twice.
 */
export async function proveReplayCrash(
  context: ProofContext,
  options: ReplayCrashOptions,
): Promise<ProofResult> {
  const { stateDir, progress, random } = context
  const { events, ratePerSecond, drainMs } = options
  const receiver = await Receiver.start()
  const kills = new Kills(receiver)
  let relay = await RelayProcess.start({ stateDir })
  try {
    const client = new RelayClient(relay)
    const webhookId = await deliverAll(relay, client, { receiver, events })
    const body = { status: 'success', ratePerSecond }
    const { id } = await call(relay, 'POST', `/webhooks/${webhookId}/replay`, body)
    for (let kill = 1; kill <= options.kills; kill++) {
      const share = between(random, 10, 80) / 100
      const count = Math.floor((events * (kill - 1 + share)) / options.kills)
      await waitUntil(() => replayedIds(receiver, id).size >= count, drainMs)
      await kills.kill(relay, client)
      progress(
        `kill ${kill}/${options.kills} with ${replayedIds(receiver, id).size} of ${events} arrived again`,
      )
      relay = await RelayProcess.start({ stateDir })
    }
    const startedAtMs = Date.now()
    await waitUntil(() => replayedIds(receiver, id).size >= events, drainMs)
    const drainedMs = Date.now() - startedAtMs
    await sleep(options.watchMs)
    const job = await call(relay, 'GET', `/replays/${id}`)
    return judge(receiver, job, { events, kills, drainedMs })
  } finally {
    await relay.kill9()
    await receiver.close()
  }
}

async function deliverAll(
  relay: RelayProcess,
  client: RelayClient,
  { receiver, events }: { receiver: Receiver; events: number },
): Promise<string> {
  const webhookId = await client.subscribe({ url: receiver.url(PATH), events: ['load.*'] })
  for (let at = 0; at < events; at += EVENTS_PER_REQUEST) {
    const count = Math.min(EVENTS_PER_REQUEST, events - at)
    await client.publish(
      Array.from({ length: count }, (_, i) => ({ event: 'load.test', data: { n: at + i } })),
    )
  }
  if (!(await receiver.waitForDelivered(PATH, events, 120_000)))
    throw new Error(`only ${receiver.delivered(PATH)} of ${events} events were delivered`)
  // What has arrived is not yet a success to be replayed: its outcome has to be written.
  const isRecorded = async () => {
    const body = { status: 'success', dryRun: true }
    const { count } = (await call(relay, 'POST', `/webhooks/${webhookId}/replay`, body)) as unknown as {
      count: number
    }
    return count === events
  }
  for (let tries = 0; tries < 100; tries++) {
    if (await isRecorded()) return webhookId
    await sleep(100)
  }
  throw new Error('the outcomes of what was delivered were never recorded')
}

async function call(
  relay: { url: string; adminKey: string },
  method: string,
  path: string,
  body?: object,
): Promise<Job> {
  const response = await fetch(`${relay.url}/api/v1${path}`, {
    method,
    headers: { Authorization: `Bearer ${relay.adminKey}`, 'Content-Type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${text}`)
  return (JSON.parse(text) as { data: Job }).data
}

function isReplayOf(id: string): (request: Received) => boolean {
  return (request) => isSuccess(request) && request.headers['x-posthorn-replay'] === id
}

/** Webhook-ids that have arrived under a replay's id. */
function replayedIds(receiver: Receiver, id: string): Set<string> {
  return new Set(
    receiver
      .requests(PATH)
      .filter(isReplayOf(id))
      .map((request) => request.id),
  )
}

function judge(
  receiver: Receiver,
  job: Job,
  { events, kills, drainedMs }: { events: number; kills: Kills; drainedMs: number },
): ProofResult {
  const violations: string[] = []
  const arrived = replayedIds(receiver, job.id).size
  if (arrived < events) violations.push(`${events - arrived} events did not arrive again`)
  if (job.state !== 'completed') violations.push(`the replay is ${job.state}`)
  if (job.replayed !== events) violations.push(`the replay says that it replayed ${job.replayed}`)
  const { inFlight, unexplained } = doublesOf(receiver, job.id, kills)
  if (unexplained.length > 0)
    violations.push(`${unexplained.length} were replayed twice without a crash: ${unexplained.slice(0, 5)}`)
  return {
    figures: {
      'events, kills': `${events}, ${kills.count}`,
      'arrived again': arrived,
      'doubled: in flight at a kill': inFlight,
      'drained after the last start': seconds(drainedMs),
    },
    violations,
  }
}

/** What arrived twice under a replay's id: with a kill soon after the first time, and all others. */
function doublesOf(
  receiver: Receiver,
  id: string,
  kills: Kills,
): { inFlight: number; unexplained: string[] } {
  let inFlight = 0
  const unexplained: string[] = []
  for (const [webhookId, requests] of receiver.byId(PATH)) {
    const times = requests.filter(isReplayOf(id)).map(({ atMs }) => atMs)
    times.slice(1).forEach((laterMs, i) => {
      const earlierMs = times[i] ?? 0
      if (kills.cutOffMs(earlierMs, laterMs) !== null) inFlight++
      else unexplained.push(webhookId)
    })
  }
  return { inFlight, unexplained }
}
