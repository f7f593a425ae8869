import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, renameSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../../scripts/local/ports.ts'
import type { Example } from './example-languages.ts'

/** Longer than compilers take that start with their program. */
const START_MS = 40_000

/** A request as it goes over the wire: header values are bytes, one character each. */
export type Sent = { body: string | Uint8Array; headers: Record<string, string | string[]> }

/** A running example. Its work is a line for each event, in a file whose folder can be taken away. */
export class ExampleProcess {
  readonly #child: ChildProcess
  readonly #ended = Promise.withResolvers<void>()
  readonly #folder: string
  readonly #port: number
  readonly #path: string
  #output = ''

  /** Starts an example of the folder, and waits until it takes connections. */
  static async start(example: Example, folder: string, env: Record<string, string>): Promise<ExampleProcess> {
    const started = new ExampleProcess(example, folder, env, await freePort(0))
    await started.#ready()
    return started
  }

  private constructor(example: Example, folder: string, env: Record<string, string>, port: number) {
    this.#port = port
    this.#path = example.at ?? '/webhooks/bigledger'
    // A port comes again once its process has ended: the folder's name is its own.
    this.#folder = mkdtempSync(path.join(folder, 'inbox-'))
    const [command, ...args] = example.command(port)
    const own = {
      INBOX: path.join(this.#folder, 'events.txt'),
      HANDLED: `${this.#folder}-handled`,
      PORT: String(port),
    }
    this.#child = spawn(command, args, {
      cwd: folder,
      env: { ...process.env, ...own, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text
      })
    }
    this.#child.once('error', (error) => {
      this.#output += error.message
      this.#ended.resolve()
    })
    this.#child.once('exit', () => this.#ended.resolve())
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}${this.#path}`
  }

  /** The lines of its work so far. */
  work(): string[] {
    const file = path.join(this.#folder, 'events.txt')
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []
  }

  /** Runs something while its work cannot be done. */
  async whileWorkFails<T>(run: () => Promise<T>): Promise<T> {
    renameSync(this.#folder, `${this.#folder}-away`)
    try {
      return await run()
    } finally {
      renameSync(`${this.#folder}-away`, this.#folder)
    }
  }

  /** Sends a request on a connection of its own; answers the status. A connection that is dropped is an error. */
  async post({ body, headers }: Sent): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    const bytes = Buffer.from(body)
    const outgoing = request({
      host: '127.0.0.1',
      port: this.#port,
      path: this.#path,
      method: 'POST',
      agent: false,
      headers: { 'Content-Type': 'application/json', 'Content-Length': bytes.length, ...headers },
    })
    outgoing.once('response', (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0))
    })
    outgoing.once('error', (error) => reject(new Error(`${error.message}; it printed:\n${this.#output}`)))
    outgoing.end(bytes)
    return await promise
  }

  async stop(): Promise<void> {
    this.#child.kill()
    await this.#ended.promise
  }

  async #ready(): Promise<void> {
    const deadline = Date.now() + START_MS
    while (!(await this.#takesConnections())) {
      if (this.#child.exitCode !== null || Date.now() > deadline) {
        await this.stop()
        throw new Error(`the example did not start:\n${this.#output}`)
      }
      await sleep(50)
    }
  }

  async #takesConnections(): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const socket = connect(this.#port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    const isOpen = await promise
    socket.destroy()
    return isOpen
  }
}
