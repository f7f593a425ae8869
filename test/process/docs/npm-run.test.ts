import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { RelayProcess } from '../../support/process/relay-process.ts'

const ROOT = path.resolve(import.meta.dirname, '../../..')
const CHECK = path.join(ROOT, 'scripts/tasks/check-node.mjs')
const folder = mkdtempSync(path.join(tmpdir(), 'posthorn-npm-run-'))
const started: { stop: () => Promise<void> }[] = []

afterAll(async () => {
  for (const process of started) await process.stop()
  rmSync(folder, { recursive: true, force: true })
})

describe('before a program runs', () => {
  const node = (...args: string[]) => spawnSync(process.execPath, args, { encoding: 'utf8' })
  const asVersion = (version: string) =>
    `data:text/javascript,Object.defineProperty(process,"versions",{value:{node:"${version}"}})`

  it('says what to do where packages are missing', () => {
    const bare = path.join(folder, 'bare/scripts/tasks/check-node.mjs')
    mkdirSync(path.dirname(bare), { recursive: true })
    copyFileSync(CHECK, bare)
    expect(node('--import', bare, '-e', '0')).toMatchObject({
      status: 1,
      stderr: 'The packages are not installed. Run: npm ci\n',
    })
  })

  it.each(['18.20.0', '20.20.2', '22.17.1', '23.5.0'])('says what to do under Node %s', (version) => {
    const { status, stderr } = node('--import', asVersion(version), '--import', CHECK, '-e', '0')
    expect(status).toBe(1)
    expect(stderr).toContain(`Node ${version} does not run`)
    expect(stderr).toContain('npm rebuild node --ignore-scripts=false')
  })

  it.each(['22.18.0', '23.6.0', '24.0.0', '26.1.0'])('says nothing under Node %s', (version) => {
    const { status, stderr } = node('--import', asVersion(version), '--import', CHECK, '-e', '0')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })

  it('is checked by every command of the first hour', () => {
    const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'))
    for (const name of ['start', 'dev', 'demo', 'backup', 'rotate-kek', 'deploy']) {
      expect(scripts[name]).toContain('--import ./scripts/tasks/check-node.mjs')
    }
  })
})

describe('npm run dev', () => {
  const stateDir = path.join(folder, 'state')
  const port = 18_000 + (process.pid % 1000)
  const url = `http://127.0.0.1:${port}`
  const adminKey = 'process_test_admin_key'
  const headers = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' }

  it('takes PORT, STATE_DIR and ADMIN_KEY, and says in a line what it migrated', async () => {
    const hadSecrets = existsSync(path.join(ROOT, '.dev.vars'))
    const dev = new Dev({ PORT: `${port}`, STATE_DIR: stateDir, ADMIN_KEY: adminKey })
    started.push(dev)
    await dev.ready(url)
    expect(dev.output).toMatch(new RegExp(`^State ${stateDir}, at migration \\d{4}_\\w+, new$`, 'm'))
    expect(dev.output).not.toContain('Migrations to be applied')
    const body = JSON.stringify({ url: 'http://127.0.0.1:1/', events: ['*'], secret: 'a-secret-of-mine' })
    const response = await fetch(`${url}/api/v1/webhooks/subscribe`, { method: 'POST', headers, body })
    expect(response.status).toBe(201)
    await dev.stop()
    expect(existsSync(path.join(ROOT, '.dev.vars'))).toBe(hadSecrets)
  })

  it('leaves a state that npm start goes on with', async () => {
    const relay = await RelayProcess.start({ stateDir })
    started.push(relay)
    const { data } = (await (await fetch(`${relay.url}/api/v1/webhooks`, { headers })).json()) as {
      data: { id: string }[]
    }
    const secret = await fetch(`${relay.url}/api/v1/webhooks/${data[0]?.id}/secret`, { headers })
    expect(await secret.json()).toMatchObject({ data: { secret: 'a-secret-of-mine' } })
  })
})

/** `npm run dev` in a process group of its own. */
class Dev {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>
  output = ''

  constructor(env: Record<string, string>) {
    this.#child = spawn(process.execPath, ['scripts/tasks/dev.ts'], {
      cwd: ROOT,
      detached: true,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text
      })
    }
    this.#exited = once(this.#child, 'exit')
  }

  async ready(url: string): Promise<void> {
    const isUp = async () => (await fetch(`${url}/healthz`).catch(() => null))?.ok ?? false
    while (!(await isUp())) {
      if (this.#child.exitCode !== null) throw new Error(this.output)
      await sleep(100)
    }
  }

  async stop(): Promise<void> {
    const { pid = 0, exitCode, signalCode } = this.#child
    if (exitCode !== null || signalCode !== null) return
    process.kill(-pid, 'SIGINT')
    await this.#exited
  }
}
