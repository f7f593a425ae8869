/**
 * What a purge costs those who publish meanwhile: `node bench/suites/purge.ts`. Publishes at a modest rate to the local relay,
 * first while it is quiet, then while it purges 100,000 events, then quiet again, and prints the latencies and their
 * ratios. The relay's periodic jobs run at the same pace in all three, far more often than in production.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type Relay, startRelay } from '../../scripts/local/relay.ts'

const OLD_EVENTS = 100_000
const SEED_CHUNK = 10_000
/** Publishes offered per second, whether or not earlier ones were answered. */
const RATE = 200
const QUIET_MS = 8_000
/** The purge is given up, and what was measured is printed, when it takes longer. */
const PURGE_MS_MAX = 50_000
/** The cron by which the Worker knows its purge. */
const PURGE_CRON = '*/2 * * * *'
/** Between two runs of the periodic jobs. */
const JOBS_PAUSE_MS = 250
const ADMIN_KEY = `bench_${crypto.randomUUID()}`

type Latencies = { p50: number; p99: number; max: number; count: number; errors: number }

/** Publishes at the rate until it is stopped. */
class Publisher {
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 64 })
  readonly #url: URL
  #stopped = false
  #latencies: number[] = []
  #errors = 0

  constructor(relay: Relay) {
    this.#url = new URL(`${relay.url}/api/v1/events`)
  }

  async run(): Promise<void> {
    const startedAt = performance.now()
    const open: Promise<void>[] = []
    for (let k = 0; !this.#stopped; k++) {
      const earlyMs = startedAt + (k * 1000) / RATE - performance.now()
      if (earlyMs > 1) await pause(earlyMs)
      open.push(this.#publish(k))
    }
    await Promise.all(open)
    this.#agent.destroy()
  }

  stop(): void {
    this.#stopped = true
  }

  /** The latencies since the last call. */
  take(): Latencies {
    const sorted = this.#latencies.sort((a, b) => a - b)
    const errors = this.#errors
    this.#latencies = []
    this.#errors = 0
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
    return { p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0, count: sorted.length, errors }
  }

  #publish(i: number): Promise<void> {
    const body = JSON.stringify({
      event: 'invoice.paid',
      data: { id: `inv_${i}`, total: 2567.5, note: 'x'.repeat(300) },
    })
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      authorization: `Bearer ${ADMIN_KEY}`,
      'x-company-id': 'publisher',
    }
    const offeredAt = performance.now()
    return new Promise((done) => {
      const end = (isFailed: boolean) => {
        if (isFailed) this.#errors++
        else this.#latencies.push(performance.now() - offeredAt)
        done()
      }
      const request = http.request(this.#url, { method: 'POST', agent: this.#agent, headers }, (answer) => {
        answer.resume()
        answer.on('error', () => {})
        answer.on('close', () => end(answer.statusCode !== 202))
      })
      request.on('error', () => end(true))
      request.end(body)
    })
  }
}

/** Delivered events of long ago in a workspace of their own, below its mark. */
async function seed(relay: Relay): Promise<void> {
  const db = await relay.mf.getD1Database('DB')
  await db.exec("INSERT INTO workspace (id, swept_seq, created_at_ms) VALUES ('old', 1000000, 0)")
  const no = await db.prepare("SELECT no FROM workspace WHERE id = 'old'").first<number>('no')
  const config = JSON.stringify({ url: 'http://127.0.0.1:9/', events: ['nothing.*'] })
  await db
    .prepare(
      "INSERT INTO subscription (workspace_no, id, config, created_at_ms, updated_at_ms) VALUES (?1, 'webhook_old', ?2, 0, 0)",
    )
    .bind(no, config)
    .run()
  const subscription = await db
    .prepare("SELECT no FROM subscription WHERE id = 'webhook_old'")
    .first<number>('no')
  for (let from = 1; from <= OLD_EVENTS; from += SEED_CHUNK) {
    const numbers = `WITH RECURSIVE n (i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i < ${from + SEED_CHUNK - 1})`
    await db.exec(
      `INSERT INTO event (pk, type, accepted_at_ms, fanout, body) ${numbers} SELECT (${no} << 44) | i, 'invoice.paid', 1, '[${subscription}]', printf('%.500c', 'x') FROM n`,
    )
    await db.exec(
      `INSERT INTO delivery (subscription_no, seq, type, state, attempts, last_at_ms, status, latency_ms) ${numbers} SELECT ${subscription}, i, 'invoice.paid', 1, 1, 1, 200, 5 FROM n`,
    )
  }
}

async function oldEventsLeft(relay: Relay): Promise<number> {
  const db = await relay.mf.getD1Database('DB')
  const left = await db
    .prepare(
      "SELECT count(*) AS count FROM workspace w JOIN event e ON e.pk BETWEEN (w.no << 44) AND (w.no << 44) | 17592186044415 WHERE w.id = 'old'",
    )
    .first<number>('count')
  return left ?? 0
}

/** Runs the periodic jobs again and again, until a time or until there is nothing left to wait for. */
async function runJobs(relay: Relay, untilMs: number, isDone: () => Promise<boolean>): Promise<void> {
  do {
    await relay.sweep()
    await relay.sweep(PURGE_CRON)
    await pause(JOBS_PAUSE_MS)
  } while (performance.now() < untilMs && !(await isDone()))
}

async function measure(relay: Relay): Promise<number> {
  const publisher = new Publisher(relay)
  const publishing = publisher.run()
  const quiet = () => runJobs(relay, performance.now() + QUIET_MS, async () => false)
  await quiet()
  publisher.take()
  await quiet()
  const before = publisher.take()
  await seed(relay)
  publisher.take()
  const startedAt = performance.now()
  await runJobs(relay, startedAt + PURGE_MS_MAX, async () => (await oldEventsLeft(relay)) === 0)
  const seconds = (performance.now() - startedAt) / 1000
  const during = publisher.take()
  const purged = OLD_EVENTS - (await oldEventsLeft(relay))
  publisher.take()
  await quiet()
  const after = publisher.take()
  publisher.stop()
  await publishing
  print({ before, during, after }, purged, seconds)
  return purged === 0 || before.errors + during.errors + after.errors > 0 ? 1 : 0
}

function print(
  measured: Record<'before' | 'during' | 'after', Latencies>,
  purged: number,
  seconds: number,
): void {
  const { before, during, after } = measured
  console.log(`${RATE} publishes/s offered     p50 ms    p99 ms    max ms   answered   failed`)
  const rows = [
    ['quiet, before', before],
    ['while purging', during],
    ['quiet, after', after],
  ] as const
  for (const [name, { p50, p99, max, count, errors }] of rows) {
    const cells = [p50, p99, max].map((ms) => ms.toFixed(1).padStart(10)).join('')
    console.log(`${name.padEnd(22)}${cells}${String(count).padStart(11)}${String(errors).padStart(9)}`)
  }
  const ratio = (of: 'p50' | 'p99') => ((2 * during[of]) / (before[of] + after[of])).toFixed(2)
  console.log(`\nwhile purging / quiet: p50 × ${ratio('p50')}, p99 × ${ratio('p99')}`)
  console.log(
    `${purged} of ${OLD_EVENTS} events purged in ${seconds.toFixed(1)} s (${Math.round(purged / seconds)}/s)`,
  )
}

const stateDir = mkdtempSync(path.join(tmpdir(), 'posthorn-purge-'))
const relay = await startRelay({ stateDir, adminKey: ADMIN_KEY, sweeper: false, onLog: () => {} })
process.once('SIGINT', () => void relay.stop().then(() => process.exit(130)))
try {
  process.exitCode = await measure(relay)
} finally {
  await relay.stop()
  rmSync(stateDir, { recursive: true, force: true })
}
