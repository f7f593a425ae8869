import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { connect } from 'node:net'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import vm from 'node:vm'
import { freePort } from '../../local/ports.ts'
import { example } from '../examples.ts'
import type { Tool } from '../row.ts'
import { express, serve } from './express-app.ts'
import { SECRET } from './signatures.ts'

const START_MS = 15_000

/** A seed's own receiver, running; `stop` ends it. */
export type Handler = { url: string; handled: () => string[]; stop: () => Promise<void> }

/** The Python that has Flask: a package of the system is installed for the system's own. */
const PYTHON = ['python3', '/usr/bin/python3'].find((python) => succeeds(python, '-c', 'import flask'))

/** True where a program is installed. */
export function isThere(tool: Tool): boolean {
  return tool === 'flask' ? PYTHON !== undefined : succeeds(tool, '--version')
}

function succeeds(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0
}

/** Seed 002's Flask handler, word for word, with the two functions that it calls. */
export async function startFlask(): Promise<Handler> {
  const port = await freePort(0)
  const source = `${readFileSync(example.program('seed-002.py'), 'utf8')}
WEBHOOK_SECRET = '${SECRET}'
def handle_invoice_paid(data): print('handled', data, flush=True)
def handle_payment_received(data): print('handled', data, flush=True)
app.run(port=${port})`
  return await started(spawn(PYTHON ?? 'python3', ['-c', source]), port, '/webhooks/bigledger')
}

/** Seed 002's PHP handler, word for word, on PHP's own server. */
export async function startPhp(folder: string): Promise<Handler> {
  const port = await freePort(0)
  const router = path.join(folder, `router-${port}.php`)
  writeFileSync(
    router,
    `<?php $webhookSecret = '${SECRET}';
function handleInvoicePaid($data) { file_put_contents('php://stderr', 'handled ' . json_encode($data) . "\\n"); }
function handlePaymentReceived($data) { handleInvoicePaid($data); }
require '${example.program('seed-002.php')}';`,
  )
  return await started(spawn('php', ['-S', `127.0.0.1:${port}`, router]), port, '/webhooks/bigledger')
}

async function started(child: ChildProcess, port: number, at: string): Promise<Handler> {
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const stop = async () => {
    child.kill()
    await ended
  }
  const deadline = Date.now() + START_MS
  while (!(await takesConnections(port))) {
    if (child.exitCode === null && Date.now() < deadline) await sleep(50)
    else {
      await stop()
      assert.fail(`the handler did not start: ${output}`)
    }
  }
  const handled = () => output.split('\n').filter((line) => line.includes('handled '))
  return { url: `http://127.0.0.1:${port}${at}`, handled, stop }
}

async function takesConnections(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(port, '127.0.0.1')
  socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
  const isOpen = await promise
  socket.destroy()
  return isOpen
}

/** A seed's Express route, word for word, on Express; `globals` are what it takes for granted. */
export async function startExpress(file: string, part: RegExp, at: string): Promise<Handler> {
  const [source] = part.exec(readFileSync(example.program(file), 'utf8')) ?? []
  assert.ok(source, `examples/verify/${file} does not hold ${part}`)
  const handled: string[] = []
  const handle = (data: unknown) => void handled.push(JSON.stringify(data))
  const app = express()
  const globals = {
    app,
    require: createRequire(import.meta.url),
    process: { env: { WEBHOOK_SECRET: SECRET } },
    console: { log: (...words: unknown[]) => handle(words) },
    WEBHOOK_SECRET: SECRET,
    handlePostCreated: handle,
    handlePostUpdated: handle,
    ...(source.includes("require('express')") ? {} : { express }),
  }
  vm.compileFunction(source, Object.keys(globals))(...Object.values(globals))
  const { port, stop } = await serve(app)
  return { url: `http://127.0.0.1:${port}${at}`, handled: () => handled, stop }
}
