import { globSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { RelayClient } from '../../test/support/process/relay-client.ts'
import { RelayProcess } from '../../test/support/process/relay-process.ts'
import { Receiver } from '../../test/support/receivers/receiver.ts'

const HOUR_MS = 3_600_000
const HISTORY_HOURS = 8 * 24
const DRAIN_MS = 60_000

/** Receivers of an imagined shop's customers: how busy each is in an hour, and how often it fails. */
const RECEIVERS = [
  { name: 'Acme: billing', path: '/acme', perHour: 240, failing: 0.002, events: ['invoice.*'] },
  { name: 'Brightwell: ledger', path: '/brightwell', perHour: 130, failing: 0.001, events: ['invoice.*'] },
  { name: 'Corvid: warehouse', path: '/corvid', perHour: 310, failing: 0.004, events: ['order.*'] },
  { name: 'Dunlin: CRM', path: '/dunlin', perHour: 60, failing: 0, events: ['customer.*', 'order.paid'] },
  { name: 'Eider: data lake', path: '/eider', perHour: 480, failing: 0.0005, events: ['*'] },
  { name: 'Fulmar: accounting', path: '/fulmar', perHour: 45, failing: 0.09, events: ['invoice.paid'] },
] as const
/** Its server is down, as the last events show. */
export const FAILING = { name: 'Fulmar: accounting', path: '/fulmar' } as const
const TYPES = ['invoice.paid', 'invoice.created', 'order.created', 'order.paid', 'customer.updated'] as const

/** A relay with a week behind it, some receivers, and one of them down. */
export type Scene = { relay: RelayProcess; receiver: Receiver; close: () => Promise<void> }

/** Fills a new relay as one that has been in use. */
export async function openScene(stateDir: string): Promise<Scene> {
  const receiver = await Receiver.start()
  for (const { path: at } of RECEIVERS) receiver.script(at, at === FAILING.path ? 503 : 200)
  let relay = await RelayProcess.start({ stateDir })
  const client = new RelayClient(relay)
  for (const { name, path: at, events } of RECEIVERS) {
    const metadata = { customerId: at.slice(1) }
    await client.subscribe({
      ...{ name, metadata, events: [...events], url: receiver.url(at) },
      ...(at === FAILING.path && { retryPolicy: { maxRetries: 1, retryDelay: 1 } }),
    })
  }
  await publish(client)
  await receiver.waitForDelivered('/eider', 40, DRAIN_MS)
  await relay.stop()
  writeWeek(stateDir, Date.now())
  relay = await RelayProcess.start({ stateDir })
  const close = async () => {
    await relay.kill9()
    await receiver.close()
  }
  return { relay, receiver, close }
}

async function publish(client: RelayClient): Promise<void> {
  for (let n = 0; n < 40; n++) {
    const event = TYPES[n % TYPES.length] ?? 'invoice.paid'
    const object = { id: `${event.split('.')[0]}_${1_000 + n}`, total: 125.5 + n * 317, currency: 'EUR' }
    await client.publish({ event, data: { object } })
  }
}

/** Writes the hours of a week, busy by day and calm by night, into the database of a relay that is stopped. */
function writeWeek(stateDir: string, nowMs: number): void {
  const file = globSync('v3/d1/*/*.sqlite', { cwd: stateDir }).find((name) => !name.includes('metadata'))
  const database = new DatabaseSync(path.join(stateDir, file ?? ''))
  const nowHour = Math.floor(nowMs / HOUR_MS)
  const outcome = database.prepare(
    `INSERT INTO statistic (subscription_no, hour, delivered, failed, attempts, latency_sum_ms, latency_03, latency_05, latency_07, latency_09)
     SELECT no, ?2, ?3, ?4, ?3 + ?4, ?3 * ?5, ?6, ?7, ?8, ?9 FROM subscription WHERE config ->> 'name' = ?1
     ON CONFLICT DO NOTHING`,
  )
  const accepted = database.prepare(
    `INSERT INTO event_statistic (workspace_no, hour, type, events, owed) SELECT no, ?1, ?2, ?3, ?3 * 2 FROM workspace LIMIT 1`,
  )
  database.exec('BEGIN')
  for (let back = 1; back <= HISTORY_HOURS; back++) {
    const hour = nowHour - back
    const busy = busyness(hour)
    for (const [n, { name, perHour, failing }] of RECEIVERS.entries()) {
      const delivered = Math.round(perHour * busy * (0.9 + 0.2 * noise(hour + n * 97)))
      const isDown = name === FAILING.name && back <= 5
      const failed = isDown ? delivered : Math.round(delivered * failing * 2 * noise(hour * 3 + n))
      const [slow, slower] = [Math.round(delivered * 0.04), Math.round(delivered * 0.015 * noise(hour))]
      const fast = Math.round(delivered * 0.6)
      const rest = delivered - fast - slow - slower
      const ended = isDown ? 0 : delivered
      outcome.run(name, hour, ended, failed, 90, fast, rest, slow, slower)
    }
    for (const [n, type] of TYPES.entries()) accepted.run(hour, type, Math.round((90 - n * 13) * busy))
  }
  database.exec('COMMIT')
  database.close()
}

function busyness(hour: number): number {
  const ofDay = hour % 24
  return 0.35 + 0.65 * Math.max(0, Math.sin(((ofDay - 5) / 24) * 2 * Math.PI))
}

/** A number in [0, 1) that an hour decides, so that pictures are the same each time. */
function noise(n: number): number {
  const x = Math.sin(n * 12.9898) * 43_758.5453
  return x - Math.floor(x)
}
