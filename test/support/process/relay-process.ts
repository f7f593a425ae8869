import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const ROOT = path.resolve(import.meta.dirname, '../../..')
const ADMIN_KEY = 'process_test_admin_key'
const OUTPUT_CHARS_MAX = 4_000_000
/** A third of a start is spent on compiling the same modules. */
const COMPILE_CACHE = path.join(ROOT, 'node_modules/.cache/posthorn/compiled')

/** Groups that must not outlive this process, whatever happens to it. */
const liveGroups = new Set<number>()
process.on('exit', () => {
  for (const group of liveGroups) signalGroup(group, 'SIGKILL')
})

export type RelayProcessOptions = {
  stateDir: string
  port?: number
  env?: Record<string, string>
  /** How long the start may take. */
  timeoutMs?: number
}

/** How a process has ended. */
export type Exit = { code: number | null; signal: NodeJS.Signals | null }

/** `npm start` as its own process group, so that it can be killed with every child at once. */
export class RelayProcess {
  readonly adminKey = ADMIN_KEY
  readonly exited: Promise<Exit>
  /** When it was spawned, in unix milliseconds. */
  readonly spawnedAtMs = Date.now()
  readonly #child: ChildProcess
  #output = ''
  #exit: Exit | null = null

  private constructor({ stateDir, port = 0, env = {} }: RelayProcessOptions) {
    this.#child = spawn(process.execPath, ['scripts/tasks/start.ts'], {
      cwd: ROOT,
      // A group of its own: workerd joins it, and one signal reaches both.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        NODE_COMPILE_CACHE: COMPILE_CACHE,
        PORT: String(port),
        STATE_DIR: stateDir,
        ADMIN_KEY,
        LOG: 'json',
        ...env,
      },
    })
    liveGroups.add(this.pid)
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-OUTPUT_CHARS_MAX)
      })
    }
    const { promise, resolve } = Promise.withResolvers<Exit>()
    this.exited = promise
    this.#child.once('exit', (code, signal) => {
      this.#exit = { code, signal }
      resolve(this.#exit)
    })
  }

  /** Spawns without waiting, for starts that are expected to fail or to be killed. */
  static spawn(options: RelayProcessOptions): RelayProcess {
    return new RelayProcess(options)
  }

  /** Starts a relay and waits until it answers and its start-up sweep is done (its banner comes after that). */
  static async start(options: RelayProcessOptions): Promise<RelayProcess> {
    const relay = new RelayProcess(options)
    const deadline = Date.now() + (options.timeoutMs ?? 60_000)
    while (!(await relay.#isReady())) {
      if (relay.#exit !== null || Date.now() > deadline) {
        await relay.kill9()
        throw new Error(`The relay did not start.\n${relay.output}`)
      }
      await sleep(25)
    }
    return relay
  }

  /** The process's id, which is its group's too. */
  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Where it serves, from its banner; empty before that. */
  get url(): string {
    return /^Posthorn +(http:\S+)/m.exec(this.#output)?.[1] ?? ''
  }

  /** What it printed last, both streams together. */
  get output(): string {
    return this.#output
  }

  /** Kills node and workerd at once, and waits until nothing of them runs. */
  async kill9(): Promise<void> {
    signalGroup(this.pid, 'SIGKILL')
    await this.exited
    for (let i = 0; i < 250 && runningInGroup(this.pid).length > 0; i++) await sleep(20)
    liveGroups.delete(this.pid)
  }

  /** Sends a signal to every process of the group, as Ctrl-C does. */
  signal(signal: NodeJS.Signals): void {
    signalGroup(this.pid, signal)
  }

  /** Ids of its processes that run now. */
  processes(): number[] {
    return runningInGroup(this.pid)
  }

  /** A figure of workerd, its largest process, in bytes: what it holds now, or has held at most. */
  workerdMemory(name: 'VmRSS' | 'VmHWM'): number {
    const figures = this.processes().map((pid) => {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8')
      return /^Name:\s+workerd/m.test(status)
        ? Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1])
        : 0
    })
    return Math.max(...figures) * 1_024
  }

  /** Ends it in order; kills what does not end by itself. */
  async stop(): Promise<void> {
    if (this.#exit === null) process.kill(this.pid, 'SIGTERM')
    await Promise.race([this.exited, sleep(8_000)])
    await this.kill9()
  }

  async #isReady(): Promise<boolean> {
    if (this.url === '') return false
    try {
      return (await fetch(`${this.url}/healthz`, { signal: AbortSignal.timeout(5_000) })).status === 200
    } catch {
      return false
    }
  }
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal)
  } catch {
    // Nobody is left in it.
  }
}

/** Processes of a group that run; those that only wait to be reaped do not count. */
function runningInGroup(group: number): number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,pgid=,stat='], { encoding: 'utf8' }).split('\n')
  return lines.flatMap((line) => {
    const [pid, pgid, stat = ''] = line.trim().split(/\s+/)
    return Number(pgid) === group && !stat.startsWith('Z') ? [Number(pid)] : []
  })
}
