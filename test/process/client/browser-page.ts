import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { buffer } from 'node:stream/consumers'

export const CHROMIUM = 'chromium'

/** A page in a browser without a window. */
export class BrowserPage {
  #script = ''
  #seen: (seen: unknown) => void = () => undefined
  #browser: ChildProcess | null = null
  readonly #server = createServer((request, response) => void this.#answer(request, response))

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Runs a script in the page, and answers what it tells. */
  async show(script: string): Promise<unknown> {
    this.#script = script
    const seen = new Promise((resolve) => {
      this.#seen = resolve
    })
    const profile = mkdtempSync(path.join(tmpdir(), 'posthorn-browser-'))
    const args = [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      `--user-data-dir=${profile}`,
      `${this.origin}/`,
    ]
    this.#browser = spawn(CHROMIUM, args, { stdio: 'ignore', detached: true })
    try {
      return await seen
    } finally {
      await this.#quit()
      rmSync(profile, { recursive: true, force: true })
    }
  }

  async stop(): Promise<void> {
    await this.#quit()
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === '/seen') {
      this.#seen(JSON.parse(String(await buffer(request))))
      response.end()
    } else if (request.url === '/page.mjs') {
      response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(this.#script)
    } else {
      const page = '<script type="module" src="/page.mjs"></script>'
      response.writeHead(200, { 'Content-Type': 'text/html' }).end(page)
    }
  }

  async #quit(): Promise<void> {
    const browser = this.#browser
    this.#browser = null
    if (browser?.pid === undefined || browser.exitCode !== null) return
    const ended = new Promise((resolve) => browser.once('exit', resolve))
    process.kill(-browser.pid, 'SIGKILL')
    await ended
  }
}
