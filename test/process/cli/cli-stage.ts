import { afterAll, beforeAll, expect } from 'vitest'
import { type SharedRelay, sharedRelay } from '../../support/process/shared-relay.ts'
import { Receiver } from '../../support/receivers/receiver.ts'
import { PackedCli } from './packed-cli.ts'

let workspaces = 0

/** The packed command, a receiver, and the relay of all files. */
class CliStage {
  #parts: { cli: PackedCli; receiver: Receiver; relay: SharedRelay } | null = null

  get cli(): PackedCli {
    return this.#started().cli
  }

  get receiver(): Receiver {
    return this.#started().receiver
  }

  get relay(): SharedRelay {
    return this.#started().relay
  }

  /** Makes a workspace; answers the environment of commands that act in it. */
  async enter(): Promise<Record<string, string>> {
    const env = { POSTHORN_WORKSPACE: `cli-${process.pid}-${++workspaces}` }
    const { code, err } = await this.cli.run(['login', '--create-workspace'], { env })
    expect({ code, err }).toMatchObject({ code: 0 })
    return env
  }

  async begin(): Promise<void> {
    const relay = await sharedRelay()
    const cli = PackedCli.install({ POSTHORN_URL: relay.url, POSTHORN_KEY: relay.adminKey })
    this.#parts = { cli, relay, receiver: await Receiver.start() }
  }

  async end(): Promise<void> {
    this.#parts?.cli.remove()
    await this.#parts?.receiver.close()
  }

  #started(): { cli: PackedCli; receiver: Receiver; relay: SharedRelay } {
    if (this.#parts === null) throw new Error('it has not been started')
    return this.#parts
  }
}

/** Installs the command before the tests of a file, and removes it after the last one. */
export function cliStage(): CliStage {
  const stage = new CliStage()
  beforeAll(() => stage.begin())
  afterAll(() => stage.end())
  return stage
}
