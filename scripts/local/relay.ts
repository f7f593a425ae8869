import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  convertV4MiniflareOptions,
  Log,
  LogLevel,
  Miniflare,
  type V4MiniflareOptions,
  type V4WorkerOptions,
} from 'miniflare'
import { SLOTS_UNLIMITED } from '../../src/base/concurrency/slots.ts'
import { readSettings } from '../../src/env.ts'
import { serveAssets } from './assets.ts'
import { applyMigrations } from './build/apply-migrations.ts'
import { namesOf, readBuild, workerOptions } from './build/build.ts'
import { explainFailure, renewPacers, requireDatabases } from './damage.ts'
import { type Migrated, migratedOf } from './migrations/migrated.ts'
import { migratePending } from './migrations/migrations.ts'
import { freePort, HOST } from './ports.ts'
import { findWorkerd } from './processes.ts'
import { RelayStartError } from './start-error.ts'
import { StateDir } from './state.ts'
import { START_CRON, STOP_CRON, Sweeper } from './sweeper.ts'
import { shieldWorkerd } from './workerd-shield.ts'

/** Miniflare's own; only its entry has it, the Worker's port does not. */
const SCHEDULED_PATH = '/cdn-cgi/local/scheduled'
/** Longer than the Worker waits for what is under way (src/scheduled.ts). */
const DRAIN_MS_MAX = 7_000

/** Without Miniflare's interceptor of outbound requests, which production does not have, a third more deliveries go out. */
const DIRECT_NETWORK = { network: { allow: ['public', 'private'], tlsOptions: { trustBrowserCas: true } } }

export type RelayOptions = {
  /** 0, or left out, takes a free port. */
  port?: number
  stateDir: string
  adminKey?: string
  /** Requests in flight per invocation; workerd has no limit of its own. */
  slots?: number
  /** More variables of the Worker, or others in place of the usual ones. */
  vars?: Record<string, string>
  /** More Miniflare options of the Worker, such as `serviceBindings` or `outboundService`. */
  worker?: Record<string, unknown>
  /** Makes another key-encryption key first; the one before still opens. */
  changesKey?: boolean
  /** Without a sweeper nothing calls scheduled(), not even at start; `Relay.sweep` still does. */
  sweeper?: boolean
  sweepIntervalMs?: number
  /** Where the Worker's log lines go; the console when left out. */
  onLog?: (line: { level: string; message: string; timestamp: number }) => void
  /** Told of a sweep or purge that failed; the console when left out. */
  onCronFailed?: (cron: string, error: unknown) => void
  /** Told when workerd had died and serves again. */
  onRestarted?: () => void
}

export type Relay = Migrated & {
  url: string
  port: number
  adminKey: string
  stateDir: string
  mf: Miniflare
  /** The pid of the workerd that serves now; null where processes cannot be listed. */
  workerdPid: () => number | null
  /** Calls scheduled() once; rejects when the Worker's handler failed. */
  sweep: (cron?: string) => Promise<void>
  /** Ends the relay and every child. May be called twice. */
  stop: () => Promise<void>
}

/** Starts the relay in this process, on loopback, with its state on disk. */
export async function startRelay(options: RelayOptions): Promise<Relay> {
  const state = await StateDir.take(options.stateDir)
  try {
    requireDatabases(state.dataPath)
    if (options.changesKey === true) state.changeKey()
    // A machine that failed may have left a file half written.
    if (state.wasCutOff) await renewPacers(state.dataPath)
    return await serveOnFreePorts(state, options).catch(async (error: unknown) => {
      if ((await renewPacers(state.dataPath)) === 0) throw error
      return await serveOnFreePorts(state, options)
    })
  } catch (error) {
    state.release()
    throw await explainFailure(error, state.dataPath)
  }
}

async function serveOnFreePorts(state: StateDir, options: RelayOptions): Promise<Relay> {
  const port = await freePort(options.port ?? 0)
  return await serve(state, { ...options, port, entryPort: await freePort(0) })
}

/** The relay's port, and that of Miniflare's own entry, by which its workerd is known among the processes. */
type Ports = { port: number; entryPort: number }

async function serve(state: StateDir, options: RelayOptions & Ports): Promise<Relay> {
  const adminKey = options.adminKey ?? 'posthorn_local_admin'
  const bindings = bindingsOf(state, adminKey, options)
  const build = await readBuild(path.join(state.path, 'build'))
  // Nothing listens before the database is ready.
  const migratedBefore = await migratePending(state, build)
  let running: Running | undefined
  shieldWorkerd()
  const mf = new Miniflare(
    convertV4MiniflareOptions({
      ...miniflareOptions(state, workerOptions(build, bindings), options),
      // workerd died and came back with empty queues, under another pid.
      unsafeHandleRuntimeRestart: () => running?.restarted(),
    }),
  )
  try {
    await mf.ready
    running = new Running(mf, state, await mf.unsafeGetDirectURL(), options)
    const { url } = running.handle()
    // The record may be of a database that is not there any more.
    const isMigrated = (await askUnready(url))?.part !== 'migrations'
    const migratedLate = isMigrated
      ? []
      : await applyMigrations(await mf.getD1Database('DB'), build.migrations)
    await requireKey(url, state)
    await running.begin()
    const migrated = migratedOf(namesOf(build), [...migratedBefore, ...migratedLate])
    return { ...running.handle(), adminKey, ...migrated }
  } catch (error) {
    await mf.dispose()
    throw error
  }
}

/** The part that keeps the relay from serving, and why; null where it serves. */
async function askUnready(url: string): Promise<{ part: string | undefined; message: string } | null> {
  const response = await fetch(`${url}/healthz`)
  if (response.ok) return null
  const { error } = (await response.json()) as { error: { message: string; details?: { path: string }[] } }
  return { part: error.details?.[0]?.path, message: error.message }
}

/** Refuses to go on with a database that was sealed under another key. What else is not ready, a start may mend. */
async function requireKey(url: string, state: StateDir): Promise<void> {
  const unready = await askUnready(url)
  if (unready?.part === 'settings') throw new RelayStartError(`${state.path}: ${unready.message}`)
}

/** A relay whose workerd listens: its record on disk and its sweeper. */
class Running {
  readonly #mf: Miniflare
  readonly #state: StateDir
  readonly #url: URL
  readonly #entryPort: number
  readonly #sweeper: Sweeper
  readonly #sweeps: boolean
  readonly #onRestarted: () => void
  #workerdPid: number | null = null
  #stopping: Promise<void> | undefined

  constructor(mf: Miniflare, state: StateDir, url: URL, options: RelayOptions & Ports) {
    this.#mf = mf
    this.#state = state
    this.#url = url
    this.#entryPort = options.entryPort
    this.#sweeps = options.sweeper ?? true
    this.#onRestarted = options.onRestarted ?? (() => {})
    this.#sweeper = new Sweeper((cron) => this.#runCron(cron), {
      intervalMs: options.sweepIntervalMs ?? 15_000,
      onFailed: options.onCronFailed,
    })
    this.#record()
  }

  async begin(): Promise<void> {
    if (this.#sweeps) await this.#sweeper.start()
  }

  async restarted(): Promise<void> {
    if (this.#stopping !== undefined) return
    this.#onRestarted()
    this.#record()
    if (this.#sweeps) await this.#sweeper.sweep(START_CRON)
  }

  handle() {
    return {
      url: this.#url.origin,
      port: Number(this.#url.port),
      stateDir: this.#state.path,
      mf: this.#mf,
      workerdPid: () => this.#workerdPid,
      sweep: (cron = '* * * * *') => this.#runCron(cron),
      stop: () => this.#stop(),
    }
  }

  #record(): void {
    const port = Number(this.#url.port)
    const workerd = findWorkerd(this.#entryPort) ?? null
    this.#workerdPid = workerd?.pid ?? null
    this.#state.record(port, workerd)
  }

  /**
   * Calls scheduled() over Miniflare's entry. `mf.getWorker()` would stop this process until the answer comes, and a
   * workerd that waits until this process has read its log would then never give one.
   */
  async #runCron(cron: string): Promise<void> {
    const query = new URLSearchParams({ cron, time: String(Date.now()) })
    const response = await fetch(`http://${HOST}:${this.#entryPort}${SCHEDULED_PATH}?${query}`)
    const outcome = await response.text()
    if (outcome !== 'ok') throw new Error(`scheduled() ended with outcome "${outcome}"`)
  }

  /** Gives what is under way some seconds. A Worker that cannot be asked any more has nothing under way. */
  async #drain(): Promise<void> {
    const drained = this.#runCron(STOP_CRON).catch((error: unknown) => {
      console.error('Stopping in order failed:', error)
    })
    await Promise.race([drained, sleep(DRAIN_MS_MAX, undefined, { ref: false })])
  }

  #stop(): Promise<void> {
    this.#stopping ??= (async () => {
      this.#sweeper.stop()
      await this.#drain()
      await this.#mf.dispose()
      this.#state.release()
    })()
    return this.#stopping
  }
}

/** The Worker's variables, which it would refuse to start with where they are wrong. */
function bindingsOf(state: StateDir, adminKey: string, options: RelayOptions): Record<string, string> {
  const bindings = {
    ADMIN_KEY: adminKey,
    ...keysOf(state),
    ALLOW_PRIVATE_DESTINATIONS: 'true',
    DELIVERY_SLOTS: String(options.slots ?? SLOTS_UNLIMITED),
    LOG_SAMPLE: 'off',
    ...options.vars,
  }
  const settings = readSettings(bindings)
  if (!settings.ok) throw new RelayStartError(settings.message)
  return bindings
}

function miniflareOptions(
  state: StateDir,
  worker: V4WorkerOptions,
  options: RelayOptions & Ports,
): V4MiniflareOptions {
  return {
    host: HOST,
    // Miniflare's own entry, with its trigger handlers, is on a port of its own; callers get the Worker's direct socket,
    // which answers about twice as many requests a second.
    port: options.entryPort,
    unsafeTriggerHandlers: true,
    cf: false,
    log: new Log(LogLevel.ERROR),
    // Where `wrangler … --persist-to STATE_DIR` looks.
    resourcePersistencePath: state.dataPath,
    ...(options.onLog && { handleStructuredLogs: options.onLog }),
    workers: [
      {
        ...worker,
        serviceBindings: { EGRESS: DIRECT_NETWORK, ASSETS: serveAssets },
        unsafeDirectSockets: [{ host: HOST, port: options.port }],
        ...options.worker,
      },
    ],
  }
}

function keysOf(state: StateDir): Record<string, string> {
  const previous = state.previousKeyEncryptionKey()
  return {
    KEY_ENCRYPTION_KEY: state.keyEncryptionKey(),
    ...(previous !== null && { KEY_ENCRYPTION_KEY_PREVIOUS: previous }),
  }
}
