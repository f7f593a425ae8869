import { execFileSync, type SpawnOptions, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { ROOT } from '../../support/built-package.ts'

const PACKAGE = path.join(ROOT, 'packages/cli')

export type Ended = { code: number | null; out: string; err: string }
/** A command that goes on. */
export type Running = { pid: number; ended: Promise<Ended>; said: (words: string) => Promise<void> }

/** The command as others get it: packed, and installed from the tarball into another folder. */
export class PackedCli {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'posthorn-cli-'))
  readonly #bin: string
  readonly #env: Record<string, string>

  private constructor(env: Record<string, string>) {
    // The Node of the tests: the machine's own may have no WebSocket.
    const PATH = [path.dirname(process.execPath), process.env['PATH']].join(path.delimiter)
    this.#env = { PATH, XDG_CONFIG_HOME: path.join(this.folder, 'config'), ...env }
    this.#bin = path.join(this.folder, 'consumer/node_modules/.bin/posthorn')
  }

  /** Builds, packs and installs it. `env` is what each of its commands has besides this process's. */
  static install(env: Record<string, string>): PackedCli {
    const cli = new PackedCli(env)
    const source = path.join(cli.folder, 'source')
    mkdirSync(source)
    execFileSync('cp', ['-r', 'bin', 'package.json', 'README.md', 'LICENSE', source], { cwd: PACKAGE })
    execFileSync(process.execPath, [path.join(ROOT, 'scripts/build/cli.ts'), source])
    cli.#npm(source, ['pack', '--ignore-scripts', '--pack-destination', cli.folder])
    const consumer = path.join(cli.folder, 'consumer')
    mkdirSync(consumer)
    writeFileSync(path.join(consumer, 'package.json'), '{"private":true}')
    cli.#npm(consumer, ['install', '--offline', path.join(cli.folder, 'posthorn-cli-0.1.0.tgz')])
    return cli
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  write(name: string, content: string): string {
    const file = path.join(this.folder, name)
    writeFileSync(file, content)
    return file
  }

  /** Runs a command to its end. */
  async run(
    args: readonly string[],
    options: { stdin?: string; env?: Record<string, string> } = {},
  ): Promise<Ended> {
    return await this.start(args, options).ended
  }

  /** Runs a command, and answers the JSON that it prints; fails where it does not end with 0. */
  async json<T>(...args: string[]): Promise<T> {
    const { code, out, err } = await this.run([...args, '--json'])
    if (code !== 0) throw new Error(`posthorn ${args.join(' ')} ended with ${code}: ${err}`)
    return JSON.parse(out) as T
  }

  /** Runs it in a shell, where it is `posthorn`. */
  async sh(script: string, env: Record<string, string> = {}): Promise<Ended> {
    const bin = path.dirname(this.#bin)
    const PATH = `${bin}${path.delimiter}${this.#env['PATH']}`
    return await this.#spawn('/bin/bash', ['-c', script], { env: { PATH, ...env } }).ended
  }

  start(args: readonly string[], options: { stdin?: string; env?: Record<string, string> } = {}): Running {
    return this.#spawn(this.#bin, args, options)
  }

  #spawn(
    command: string,
    args: readonly string[],
    { stdin, env = {} }: { stdin?: string; env?: Record<string, string> },
  ): Running {
    const all = { ...process.env, NO_COLOR: '', FORCE_COLOR: '', ...this.#env, ...env }
    const settings: SpawnOptions = { cwd: this.folder, env: all, stdio: 'pipe' }
    const child = spawn(command, args, settings)
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(stdin ?? '')
    let err = ''
    let out = ''
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (out += chunk))
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (err += chunk))
    const ended = new Promise<Ended>((resolve) => child.once('close', (code) => resolve({ code, out, err })))
    const said = async (words: string) => {
      await new Promise<void>((resolve, reject) => {
        const look = () => (out + err).includes(words) && resolve()
        child.stdout?.on('data', look)
        child.stderr?.on('data', look)
        child.once('close', () => reject(new Error(`it ended without saying ${words}: ${out}${err}`)))
        look()
      })
    }
    return { pid: child.pid ?? 0, ended, said }
  }

  /** Runs npm as from a terminal: without the settings that an npm around these tests hands down. */
  #npm(cwd: string, args: string[]): void {
    const handedDown = Object.keys(process.env).filter((name) => /^npm_/i.test(name))
    const env = { ...process.env, ...Object.fromEntries(handedDown.map((name) => [name, undefined])) }
    const quiet = ['--silent', '--no-audit', '--no-fund', '--no-update-notifier']
    execFileSync('npm', [...args, ...quiet, '--cache', path.join(this.folder, 'cache')], {
      cwd,
      env,
      stdio: 'pipe',
    })
  }
}
