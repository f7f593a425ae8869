/** Starting what is measured: the baseline, Posthorn, the Worker that shows the ceilings, the receiver. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Databases } from './databases.ts'
import { answers, type Child, freePort, type Processes } from './processes.ts'

const HERE = import.meta.dirname
const ROOT = path.resolve(HERE, '../..')

/** Deliveries in flight, the same for the baseline, Posthorn and the fetch loop it is compared with. */
export const SLOTS = 50

/** Known to nobody else: the relay is reachable by every user of the machine while it runs. */
const ADMIN_KEY = `bench_${crypto.randomUUID()}`

export type Engine = {
  readonly origin: string
  readonly publishUrl: string
  readonly headers: Readonly<Record<string, string>>
  /** The key under which several events are sent; empty for a bare array. */
  readonly wrap: string
}

export async function startSink(processes: Processes): Promise<string> {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const args = [path.join(HERE, 'sink.mjs')]
  const child = processes.start({ name: 'sink', command: process.execPath, args, env: { PORT: `${port}` } })
  await processes.ready(child, () => answers(`${origin}/n`))
  return origin
}

/** Installs the baseline's dependencies when they are not there yet; they are no part of Posthorn's own. */
export async function installBaseline(processes: Processes): Promise<void> {
  const cwd = path.join(ROOT, 'bench/baseline')
  if (existsSync(path.join(cwd, 'node_modules', 'bullmq'))) return
  const args = ['install', '--prefix', cwd, '--no-audit', '--no-fund', '--no-package-lock']
  await processes.output({ name: 'npm-install', command: 'npm', args, cwd }, 180_000)
}

export async function startBaseline(
  processes: Processes,
  databases: Databases,
  sink: string,
): Promise<Engine> {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const env = {
    PORT: `${port}`,
    PG: databases.postgresUrl,
    REDIS_PORT: `${databases.redisPort}`,
    TARGET: `${sink}/`,
    SUBS: '1',
    CONC: `${SLOTS}`,
  }
  const args = [path.join(ROOT, 'bench/baseline', 'server.mjs')]
  const child = processes.start({ name: 'baseline', command: process.execPath, args, env })
  await processes.ready(child, () => answers(`${origin}/healthz`))
  return { origin, publishUrl: `${origin}/events`, headers: {}, wrap: '' }
}

/** Posthorn with one matching subscription. */
export async function startPosthorn(processes: Processes, sink: string): Promise<Engine> {
  const { engine } = await startRelay(processes, { name: 'posthorn', slots: SLOTS })
  await subscribe(engine.origin, engine.headers, sink)
  return engine
}

/** A relay that runs, as a program and by its address. */
export type RunningRelay = { readonly engine: Engine; readonly child: Child; readonly stateDir: string }

/** Posthorn as `npm start` runs it, on a fresh state; with its own default of slots where they are null. */
export async function startRelay(
  processes: Processes,
  { name, slots }: { name: string; slots: number | null },
): Promise<RunningRelay> {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const stateDir = path.join(processes.directory, name)
  const env = {
    PORT: `${port}`,
    STATE_DIR: stateDir,
    ADMIN_KEY,
    LOG: 'json',
    DELIVERY_SLOTS: slots === null ? '' : `${slots}`,
  }
  const args = [path.join(ROOT, 'scripts/tasks/start.ts')]
  const child = processes.start({ name, command: process.execPath, args, env, cwd: ROOT })
  const headers = { authorization: `Bearer ${ADMIN_KEY}` }
  // Not /healthz, which is well before the last migration is applied.
  await processes.ready(child, () => answers(`${origin}/api/v1/webhooks`, headers))
  const engine = { origin, publishUrl: `${origin}/api/v1/events`, headers, wrap: 'events' }
  return { engine, child, stateDir }
}

async function subscribe(origin: string, headers: Record<string, string>, sink: string): Promise<void> {
  const response = await fetch(`${origin}/api/v1/webhooks/subscribe`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ url: `${sink}/`, events: ['invoice.*'], secret: 'bench-secret' }),
    signal: AbortSignal.timeout(10_000),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`Posthorn refused the subscription: ${response.status} ${text}`)
}

export async function startCeilings(processes: Processes): Promise<Engine> {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const args = [path.join(ROOT, 'bench/ceiling/serve.ts')]
  const program = { name: 'ceilings', command: process.execPath, args, cwd: ROOT }
  const child = processes.start({ ...program, env: { PORT: `${port}` } })
  await processes.ready(child, async () => (await fetch(origin, { method: 'POST' })).status === 202)
  return { origin, publishUrl: `${origin}/`, headers: {}, wrap: '' }
}
