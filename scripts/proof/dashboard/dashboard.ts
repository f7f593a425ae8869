import { RelayProcess } from '../../../test/support/process/relay-process.ts'
import { Receiver } from '../../../test/support/receivers/receiver.ts'
import { type ProofContext, type ProofResult, quantile } from '../proof.ts'
import { type Filled, fillRelay, writeHistory } from './fill.ts'
import { timeFirstView } from './first-view.ts'

export type DashboardOptions = Filled & {
  /** The longest that what a page reads may take, at the median. */
  readMsMax: number
  /** The longest from the key to the overview's figures, at the median. */
  firstViewMsMax: number
  drainMs: number
}

/** What pages read, by the names of the pages. */
const READS: Record<string, string> = {
  overview: '/statistics?window=24h',
  'overview, 7 days': '/statistics?window=7d',
  'overview, 90 days': '/statistics?window=90d',
  events: '/events?limit=50',
  'events by type': '/events?limit=50&event=invoice.kind_7',
  'events by value': '/events?limit=50&path=data.object.id&equals=inv_99000',
  deliveries: '/deliveries?limit=50',
  'deliveries that failed': '/deliveries?limit=50&status=failed',
  'deliveries by answer': '/deliveries?limit=50&responseCode=5xx',
  subscriptions: '/webhooks?limit=50',
  'subscriptions, most failures first': '/webhooks?limit=50&sort=failures',
  'subscriptions that fail': '/webhooks?limit=50&health=failing',
  replays: '/replays?limit=50',
}
const ROUNDS = 7

/** Fills a relay with subscriptions and events and 90 days of figures, and times what the dashboard's pages read. */
export async function proveDashboard(
  { stateDir, progress }: ProofContext,
  options: DashboardOptions,
): Promise<ProofResult> {
  const receiver = await Receiver.start()
  let relay = await RelayProcess.start({ stateDir })
  try {
    await fillRelay(relay, receiver, options)
    progress(`${options.events} events are published`)
    const healthy = Math.floor(options.events * 0.9)
    await receiver.waitForDelivered('/healthy', healthy, options.drainMs)
    progress(`${receiver.delivered('/healthy')} are delivered`)
    await relay.stop()
    writeHistory(stateDir, Date.now())
    relay = await RelayProcess.start({ stateDir })
    const result: ProofResult = { figures: {}, violations: [] }
    await judgeReads(relay, options, result)
    await judgeFirstView(relay, options, result)
    return result
  } finally {
    await relay.kill9()
    await receiver.close()
  }
}

async function judgeReads(relay: RelayProcess, { readMsMax }: DashboardOptions, result: ProofResult) {
  for (const [name, path] of Object.entries(READS)) {
    const times: number[] = []
    for (let round = 0; round < ROUNDS; round++) times.push(await timeRead(relay, path))
    const [median, slowest] = [quantile(times, 0.5), Math.max(...times)]
    result.figures[name] = `${median.toFixed(0)} ms (slowest ${slowest.toFixed(0)})`
    if (median > readMsMax) result.violations.push(`${name} takes ${median.toFixed(0)} ms`)
  }
}

async function timeRead({ url, adminKey }: RelayProcess, path: string): Promise<number> {
  const startedAtMs = performance.now()
  const headers = { Authorization: `Bearer ${adminKey}` }
  const response = await fetch(`${url}/api/v1${path}`, { headers })
  await response.text()
  if (!response.ok) throw new Error(`${path} was answered ${response.status}.`)
  return performance.now() - startedAtMs
}

async function judgeFirstView(
  relay: RelayProcess,
  { firstViewMsMax }: DashboardOptions,
  { figures, violations }: ProofResult,
): Promise<void> {
  const times = await timeFirstView(relay)
  if (times === null) {
    figures['first view'] = 'not timed: there is no Chromium'
    return
  }
  const median = quantile(times, 0.5)
  figures['first view after sign-in'] = `${times.map((ms) => `${ms.toFixed(0)} ms`).join(', ')}`
  if (median > firstViewMsMax) violations.push(`the first view takes ${median.toFixed(0)} ms`)
}
