/** Starting other programs so that every one of them, with all its children, is gone when the bench ends. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'

export const run = promisify(execFile)

/** How long a program may take to end by itself before its whole process group is killed. */
const GRACE_MS = 8_000

/** How long a program may take to be ready: a first start compiles and migrates. */
const READY_MS = 60_000

export interface Program {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** The user to run as, for programs that refuse to run as root. */
  readonly user?: { readonly uid: number; readonly gid: number }
  /** What asks this program to end; SIGTERM unless given. */
  readonly stopSignal?: NodeJS.Signals
}

export interface Child {
  readonly name: string
  readonly process: ChildProcess
  readonly logPath: string
  readonly stopSignal: NodeJS.Signals
}

export class Processes {
  /** Everything the bench and its children write while running is below this folder. */
  readonly directory: string
  readonly #children: Child[] = []
  #stopping: Promise<void> | undefined

  constructor() {
    this.directory = mkdtempSync(path.join(tmpdir(), 'posthorn-bench-'))
    // Postgres may run as another user and has to reach its own folder below this one.
    chmodSync(this.directory, 0o711)
    // The last resort for a fault that no `finally` sees; nothing asynchronous works here any more.
    process.on('exit', () => this.#killAll())
  }

  get stopping(): boolean {
    return this.#stopping !== undefined
  }

  /** The programs that were started and not ended yet, in that order. */
  get children(): readonly Child[] {
    return [...this.#children]
  }

  /** Starts a program as the leader of a process group of its own, so that Ctrl-C reaches only the bench. */
  start(program: Program): Child {
    if (this.stopping) throw new Error('the bench is ending')
    const logPath = path.join(this.directory, `${program.name}.log`)
    const log = openSync(logPath, 'a')
    const child = spawn(program.command, program.args, {
      cwd: program.cwd ?? process.cwd(),
      env: { ...process.env, TMPDIR: this.directory, ...program.env },
      stdio: ['ignore', log, log],
      detached: true,
      ...program.user,
    })
    // Without a listener a program that cannot be started would end the bench before its `finally`.
    child.on('error', () => {})
    const entry = {
      name: program.name,
      process: child,
      logPath,
      stopSignal: program.stopSignal ?? ('SIGTERM' as const),
    }
    this.#children.push(entry)
    return entry
  }

  /** Runs a program to its end and gives what it printed. Fails on a non-zero exit or after `timeoutMs`. */
  async output(program: Program, timeoutMs: number): Promise<string> {
    const child = this.start(program)
    const deadline = performance.now() + timeoutMs
    while (isRunning(child) && performance.now() < deadline) await pause(20)
    const finished = !isRunning(child)
    await this.end(child)
    const text = readFileSync(child.logPath, 'utf8')
    rmSync(child.logPath)
    if (!finished) throw new Error(`${child.name} did not end within ${timeoutMs / 1000} s:\n${tail(text)}`)
    if (child.process.exitCode !== 0) throw new Error(`${child.name} failed:\n${tail(text)}`)
    return text
  }

  /** Ends one program and all its children before the bench ends. */
  async end(child: Child): Promise<void> {
    await stop(child)
    const at = this.#children.indexOf(child)
    if (at !== -1) this.#children.splice(at, 1)
  }

  /** Sends a signal to a program and all its children. */
  signal(child: Child, signal: NodeJS.Signals): void {
    if (!signalGroup(child, signal)) throw new Error(`${child.name} is not running`)
  }

  /** Waits until `isReady` says so. Fails early, with the end of its log, when the program has ended. */
  async ready(child: Child, isReady: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + READY_MS
    while (!(await isReady().catch(() => false))) {
      const reason = !isRunning(child) ? 'ended' : performance.now() > deadline ? 'is not ready' : undefined
      if (reason) throw new Error(`${child.name} ${reason}:\n${tail(readFileSync(child.logPath, 'utf8'))}`)
      await pause(50)
    }
  }

  /** Ends every program, last started first, and removes the folder. Later calls wait for the same end. */
  stopAll(): Promise<void> {
    this.#stopping ??= this.#stopAll()
    return this.#stopping
  }

  async #stopAll(): Promise<void> {
    for (const child of this.#children.toReversed()) await stop(child)
    // Their ids may be given to others from now on, so nothing may signal them again.
    this.#children.length = 0
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }

  #killAll(): void {
    for (const child of this.#children) signalGroup(child, 'SIGKILL')
  }
}

function isRunning({ process: child }: Child): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null
}

/** True when the signal reached somebody, that is, when the group still had a member. */
function signalGroup({ process: child }: Child, signal: NodeJS.Signals): boolean {
  if (child.pid === undefined) return false
  try {
    return process.kill(-child.pid, signal)
  } catch {
    return false
  }
}

/** Asks the leader to end its own children; whatever it leaves behind is killed. */
async function stop(child: Child): Promise<void> {
  if (isRunning(child)) child.process.kill(child.stopSignal)
  const deadline = performance.now() + GRACE_MS
  while (isRunning(child) && performance.now() < deadline) await pause(20)
  signalGroup(child, 'SIGKILL')
  while (isRunning(child)) await pause(20)
}

function tail(text: string): string {
  return text.trimEnd().split('\n').slice(-15).join('\n')
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => {
        if (address && typeof address === 'object') resolve(address.port)
        else reject(new Error('no free port'))
      })
    })
  })
}

/** True when the URL is answered with a 2xx. */
export async function answers(url: string, headers: Record<string, string> = {}): Promise<boolean> {
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(2_000) })
  await response.arrayBuffer()
  return response.ok
}
