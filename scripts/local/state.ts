import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { isVaultKey } from '../../src/base/secret/sealing-key.ts'
import { endProcess, isAlive, isWorkerd, listProcesses, type ProcessInfo } from './processes.ts'
import { RelayStartError } from './start-error.ts'

/** Who runs on a state folder. Commands tell a process from another one that was later given the same pid. */
type RunRecord = { pid: number; command: string; port: number | null; workerd: ProcessInfo | null }

/** Folders held by this process: a pid alone cannot tell two relays of one process apart. */
const heldHere = new Set<string>()

/** Payloads, answers and URLs are the business of the relay's own user. */
const OWN_FOLDER = 0o700
const OWN_FILE = 0o600

const LOST_KEY =
  'The secrets in this state were sealed with it and cannot be opened without: put a copy of it back, or begin anew with another STATE_DIR.'

/** The keys of a state: the one that seals, and the one before while secrets are being sealed anew. */
export const KEY_FILES = { current: 'key-encryption-key', previous: 'key-encryption-key.previous' } as const

/** The state folder of one relay: its data, its key, and the record of who runs on it. */
export class StateDir {
  readonly path: string
  /** Where Miniflare keeps databases and objects. */
  readonly dataPath: string
  /** The relay before this one did not end in order. */
  wasCutOff = false
  readonly #runFile: string
  readonly #keyFile: string
  readonly #previousKeyFile: string
  /** Beside the database, so that both are removed together. */
  readonly #migrationsFile: string

  private constructor(dir: string) {
    this.path = dir
    this.dataPath = path.join(dir, 'v3')
    this.#runFile = path.join(dir, 'run.json')
    this.#keyFile = path.join(dir, KEY_FILES.current)
    this.#previousKeyFile = path.join(dir, KEY_FILES.previous)
    this.#migrationsFile = path.join(this.dataPath, 'd1', 'migrations.json')
  }

  /** Takes the folder, ending a workerd that a killed relay left behind; refuses when a live relay holds it. */
  static async take(dir: string): Promise<StateDir> {
    const state = new StateDir(path.resolve(dir))
    state.#makeFolders()
    await state.#endPreviousRun()
    heldHere.add(state.path)
    state.record(null, null)
    return state
  }

  #makeFolders(): void {
    try {
      mkdirSync(this.path, { recursive: true, mode: OWN_FOLDER })
      mkdirSync(this.dataPath, { recursive: true, mode: OWN_FOLDER })
      // A state of an earlier version may be open to all; the folder itself may be one that others use too.
      chmodSync(this.dataPath, OWN_FOLDER)
    } catch (error) {
      const { message } = error as Error
      throw new RelayStartError(
        `${this.path} cannot hold a state: ${message}. Set STATE_DIR to another folder.`,
      )
    }
  }

  /** Written whole or not at all: a torn record would hide an orphan. */
  record(port: number | null, workerd: ProcessInfo | null): void {
    const run: RunRecord = { pid: process.pid, command: ownCommand(), port, workerd }
    const draft = `${this.#runFile}.${process.pid}`
    writeFileSync(draft, `${JSON.stringify(run)}\n`, { mode: OWN_FILE })
    renameSync(draft, this.#runFile)
  }

  release(): void {
    rmSync(this.#runFile, { force: true })
    heldHere.delete(this.path)
  }

  /** Names of the migrations that this state's database is known to have. */
  migrations(): string[] {
    const names = readJson(this.#migrationsFile)
    return Array.isArray(names) ? names : []
  }

  recordMigrations(names: readonly string[]): void {
    mkdirSync(path.dirname(this.#migrationsFile), { recursive: true })
    writeFileSync(this.#migrationsFile, `${JSON.stringify(names)}\n`)
  }

  /**
   * The key that encrypts signing secrets, made with the state: the stored secrets are worthless without it. Refuses to
   * make one beside a database, and one that is no key.
   */
  keyEncryptionKey(): string {
    const file = this.#keyFile
    if (!existsSync(file)) {
      if (this.#hasDatabase()) throw new RelayStartError(`${file} is gone. ${LOST_KEY}`)
      writeFileSync(file, newKey(), { mode: OWN_FILE, flag: 'wx' })
    }
    return readKey(file)
  }

  /** The key before, while secrets are being sealed anew; null at other times. */
  previousKeyEncryptionKey(): string | null {
    return existsSync(this.#previousKeyFile) ? readKey(this.#previousKeyFile) : null
  }

  /**
   * Makes another key, unless the secrets are still being sealed anew under the one that was made last. The key before
   * is kept first: killed in between, both are the same, and the next call makes the other.
   */
  changeKey(): void {
    const key = this.keyEncryptionKey()
    const before = this.previousKeyEncryptionKey()
    if (before !== null && before !== key) return
    copyFileSync(this.#keyFile, this.#previousKeyFile)
    chmodSync(this.#previousKeyFile, OWN_FILE)
    const draft = `${this.#keyFile}.${process.pid}`
    writeFileSync(draft, newKey(), { mode: OWN_FILE })
    renameSync(draft, this.#keyFile)
  }

  #hasDatabase(): boolean {
    return existsSync(path.join(this.dataPath, 'd1'))
  }

  async #endPreviousRun(): Promise<void> {
    if (heldHere.has(this.path)) throw this.#heldError(process.pid)
    this.wasCutOff = existsSync(this.#runFile)
    const run = readJson(this.#runFile) as RunRecord | null
    if (typeof run !== 'object' || run === null) return
    const processes = listProcesses()
    const runs = (pid: number, command: string) =>
      processes.some((info) => info.pid === pid && info.command === command)
    if (
      run.pid !== process.pid &&
      isAlive(run.pid) &&
      (processes.length === 0 || runs(run.pid, run.command))
    ) {
      throw this.#heldError(run.pid)
    }
    const { workerd } = run
    if (workerd && isWorkerd(workerd.command) && runs(workerd.pid, workerd.command)) {
      if (!(await endProcess(workerd.pid))) {
        throw new RelayStartError(`A workerd of an earlier run (pid ${workerd.pid}) could not be ended.`)
      }
    }
  }

  #heldError(pid: number): RelayStartError {
    return new RelayStartError(
      `Another relay (pid ${pid}) is running on ${this.path}. Stop it, or give this one its own STATE_DIR.`,
    )
  }
}

function newKey(): string {
  return `${randomBytes(32).toString('base64')}\n`
}

function readKey(file: string): string {
  const key = readText(file).trim()
  if (!isVaultKey(key))
    throw new RelayStartError(`${file} holds no key (the base64 of 32 bytes). ${LOST_KEY}`)
  return key
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new RelayStartError(`${file} cannot be read: ${(error as Error).message}. ${LOST_KEY}`)
  }
}

/** Null where there is no such file, or no JSON in it: the next record replaces it. */
function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return null
  }
}

function ownCommand(): string {
  return listProcesses().find((info) => info.pid === process.pid)?.command ?? ''
}
