import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { build } from 'esbuild'
import { installPackage, ROOT } from '../../support/built-package.ts'
import { RelayProcess } from '../../support/process/relay-process.ts'

/** The same program in every place: it publishes, reads what it published, and is refused. */
export const PROGRAM = `
async function use({ Posthorn, isPosthornError }, { fake }, { SqliteOutbox, D1Outbox }, { verify }, settings) {
  const posthorn = new Posthorn(settings)
  const { status } = await posthorn.events.publish({ event: 'invoice.paid', data: { total: 2 } })
  const publisher = posthorn.publisher()
  const pushed = await Promise.all([1, 2, 3].map((n) => publisher.push({ event: 'order.created', data: { n } })))
  await publisher.close()
  const found = await posthorn.events.list({ event: 'order.*' }).take(3)
  const error = await posthorn.events.get('none').catch((reason) => reason)
  const faked = fake()
  await faked.events.publish({ event: 'a.b', data: {} })
  faked.assertPublished('a.b')
  const kinds = [SqliteOutbox, D1Outbox, verify].map((each) => typeof each)
  return { status, pushed: pushed.length, found: found.length, code: isPosthornError(error) && error.code, kinds }
}`
export const EXPECTED = {
  status: 'accepted',
  pushed: 3,
  found: 3,
  code: 'not_found',
  kinds: ['function', 'function', 'function'],
}
const NAMES = ['posthorn', 'posthorn/testing', 'posthorn/outbox', 'posthorn/verify']
export const IMPORTS = NAMES.map((name, i) => `import * as m${i} from '${name}'`).join('\n')
export const REQUIRES = NAMES.map((name, i) => `const m${i} = require('${name}')`).join('\n')

/** The package as others get it: packed, and installed from the tarball into another folder; and a relay for it. */
export class PackedClient {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'posthorn-packed-'))
  readonly consumer = path.join(this.folder, 'consumer')
  readonly tarball = path.join(this.folder, 'posthorn-0.1.0.tgz')
  readonly relay: RelayProcess
  #workspaces = 0

  private constructor(relay: RelayProcess) {
    this.relay = relay
  }

  static async install(env: Record<string, string> = {}): Promise<PackedClient> {
    const state = mkdtempSync(path.join(tmpdir(), 'posthorn-packed-state-'))
    const client = new PackedClient(await RelayProcess.start({ stateDir: state, env }))
    const source = path.join(client.folder, 'source')
    await installPackage(source)
    client.#npm(source, ['pack', '--ignore-scripts', '--pack-destination', client.folder])
    mkdirSync(client.consumer)
    writeFileSync(path.join(client.consumer, 'package.json'), '{"private":true}')
    client.#npm(client.consumer, ['install', '--offline', client.tarball])
    for (const name of ['@types', '@cloudflare', 'undici-types']) {
      symlinkSync(path.join(ROOT, 'node_modules', name), path.join(client.consumer, 'node_modules', name))
    }
    return client
  }

  async remove(): Promise<void> {
    await this.relay.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** Options of `new Posthorn`, with a workspace of their own. */
  settings(): { url: string; key: string; workspace: string } {
    this.#workspaces++
    return { url: this.relay.url, key: this.relay.adminKey, workspace: `packed-${this.#workspaces}` }
  }

  write(name: string, text: string): void {
    writeFileSync(path.join(this.consumer, name), text)
  }

  /** Runs a command among the consumer's files; answers what it prints, also where it fails. */
  outputOf(command: string, args: readonly string[]): string {
    try {
      return execFileSync(command, args, { cwd: this.consumer, encoding: 'utf8', stdio: 'pipe' })
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string }
      return stdout + stderr
    }
  }

  /** One file for a place that has no packages. */
  async bundle(name: string, contents: string, platform: 'browser' | 'neutral'): Promise<string> {
    const outfile = path.join(this.consumer, name)
    const stdin = { contents, resolveDir: this.consumer }
    const options = { bundle: true, format: 'esm', target: 'es2022', logLevel: 'error' } as const
    await build({ ...options, stdin, outfile, platform })
    return await readFile(outfile, 'utf8')
  }

  /** Runs npm as from a terminal: without the settings that an npm around these tests hands down. */
  #npm(cwd: string, args: string[]): void {
    const handedDown = Object.keys(process.env).filter((name) => /^npm_/i.test(name))
    const env = { ...process.env, ...Object.fromEntries(handedDown.map((name) => [name, undefined])) }
    const quiet = ['--silent', '--no-audit', '--no-fund', '--no-update-notifier']
    const cache = ['--cache', path.join(this.folder, 'cache')]
    execFileSync('npm', [...args, ...quiet, ...cache], { cwd, env, stdio: 'pipe' })
  }
}
