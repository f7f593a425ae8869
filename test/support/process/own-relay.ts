import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { Receiver } from '../receivers/receiver.ts'
import { RelayProcess, type RelayProcessOptions } from './relay-process.ts'

/** A test file's own relay and receiver, in a folder that goes with them. */
class Stage {
  /** For whatever the tests lay down beside the state. */
  readonly folder: string
  readonly stateDir: string
  #relay: RelayProcess | null = null
  #receiver: Receiver | null = null

  constructor(name: string) {
    this.folder = mkdtempSync(path.join(tmpdir(), `posthorn-${name}-`))
    this.stateDir = path.join(this.folder, 'state')
  }

  get receiver(): Receiver {
    return started(this.#receiver)
  }

  /** The relay that was started last. */
  get relay(): RelayProcess {
    return started(this.#relay)
  }

  /** Starts a relay on the state; the one before has ended. */
  async start(options: Omit<RelayProcessOptions, 'stateDir'> = {}): Promise<RelayProcess> {
    this.#relay = await RelayProcess.start({ ...options, stateDir: this.stateDir })
    return this.#relay
  }

  async begin(options: Omit<RelayProcessOptions, 'stateDir'>): Promise<void> {
    this.#receiver = await Receiver.start()
    await this.start(options)
  }

  async end(): Promise<void> {
    await this.#relay?.kill9()
    await this.#receiver?.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Starts a relay and a receiver before the tests of a file, and ends them after the last one. */
export function ownRelay(name: string, options: Omit<RelayProcessOptions, 'stateDir'> = {}): Stage {
  const stage = new Stage(name)
  beforeAll(() => stage.begin(options))
  afterAll(() => stage.end())
  return stage
}

function started<T>(part: T | null): T {
  if (part === null) throw new Error('it has not been started')
  return part
}
