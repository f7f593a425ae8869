import { globSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { RelayClient } from '../../../test/support/process/relay-client.ts'
import type { RelayProcess } from '../../../test/support/process/relay-process.ts'
import type { Receiver } from '../../../test/support/receivers/receiver.ts'

const EVENTS_PER_REQUEST = 1_000
const SUBSCRIBING_AT_ONCE = 20
const HOUR_MS = 3_600_000
/** Single hours of eight days, then days: as daily rounds leave 90 days. */
const HOURS = 8 * 24
const DAYS = 82
const FAILING_EVERY = 30

export type Filled = { subscriptions: number; events: number }

/** Creates subscriptions, each of a type of its own, and publishes until there are so many events. One in thirty fails. */
export async function fillRelay(
  relay: RelayProcess,
  receiver: Receiver,
  { subscriptions, events }: Filled,
): Promise<void> {
  const client = new RelayClient(relay)
  receiver.script('/failing', 503)
  for (let from = 0; from < subscriptions; from += SUBSCRIBING_AT_ONCE) {
    const nos = Array.from({ length: SUBSCRIBING_AT_ONCE }, (_, i) => from + i)
    await Promise.all(
      nos.map((n) =>
        client.subscribe({
          url: receiver.url(n % FAILING_EVERY === 0 ? '/failing' : '/healthy'),
          name: `Receiver ${n}`,
          events: [typeOf(n)],
        }),
      ),
    )
  }
  for (let from = 0; from < events; from += EVENTS_PER_REQUEST) {
    const published = Array.from({ length: EVENTS_PER_REQUEST }, (_, i) => ({
      event: typeOf((from + i) % subscriptions),
      data: { object: { id: `inv_${from + i}`, total: (from + i) % 5_000, currency: 'EUR' } },
    }))
    const { status } = await client.publish(published)
    if (status !== 202) throw new Error(`A publish was answered ${status}.`)
  }
}

function typeOf(n: number): string {
  return `invoice.kind_${n}`
}

/** Writes what 90 days of deliveries in every hour would have left behind, into the database of a relay that is stopped. */
export function writeHistory(stateDir: string, nowMs: number): void {
  const database = databaseOf(stateDir)
  const nowHour = Math.floor(nowMs / HOUR_MS)
  const firstHour = nowHour - HOURS + 1
  const firstDay = firstHour - (firstHour % 24)
  const hours = JSON.stringify([
    ...Array.from({ length: HOURS - 1 }, (_, i) => nowHour - i - 1),
    ...Array.from({ length: DAYS }, (_, i) => firstDay - 24 * (i + 1)),
  ])
  const counted =
    'sum(delivered), sum(failed), sum(attempts), sum(latency_sum_ms), sum(latency_03), sum(latency_05)'
  const columns = 'delivered, failed, attempts, latency_sum_ms, latency_03, latency_05'
  database.exec('BEGIN')
  database
    .prepare(
      `INSERT OR IGNORE INTO statistic (subscription_no, hour, ${columns})
       SELECT s.no, h.value, 40, s.no % 7 = 0, 41, 1500, 39, 2 FROM subscription s, json_each(?) h`,
    )
    .run(hours)
  database
    .prepare(
      `INSERT INTO workspace_statistic (workspace_no, hour, ${columns})
       SELECT s.workspace_no, t.hour, ${counted} FROM subscription s JOIN statistic t ON t.subscription_no = s.no
       WHERE t.hour < ? GROUP BY 1, 2`,
    )
    .run(nowHour - 24)
  database
    .prepare(
      `INSERT OR IGNORE INTO event_statistic (workspace_no, hour, type, events, owed)
       SELECT w.no, h.value, 'invoice.kind_' || t.value, 40, 40 FROM workspace w, json_each(?) h, json_each('[0,1,2,3,4,5,6,7,8,9]') t`,
    )
    .run(hours)
  database.exec('COMMIT')
  database.close()
}

function databaseOf(stateDir: string): DatabaseSync {
  const file = globSync('v3/d1/*/*.sqlite', { cwd: stateDir }).find((name) => !name.includes('metadata'))
  return new DatabaseSync(path.join(stateDir, file ?? ''))
}
