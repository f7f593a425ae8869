/**
 * `npm run demo`: a relay, a receiver that verifies, and every example event sent from one to the other.
 * RELAY_URL (and ADMIN_KEY) takes a running relay instead of one of its own; DEMO_WAIT_SECONDS is how long it waits
 * for the last delivery. Ends with 0, with 1 when a delivery or a signature was missing, with 130 on Ctrl-C.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { RelayStartError } from '../local/start-error.ts'
import { showArrival, showSummary, showTitle } from './display.ts'
import { readExampleEvents } from './example-events.ts'
import { type ReceivedRequest, startReceiver } from './receiver.ts'
import { RelayCallError, RelayClient, type RelayTarget } from './relay-client.ts'
import { checkSignatures } from './signatures.ts'
import { Tally } from './tally.ts'

/** Seed 002's; without the `whsec_` prefix, so both signatures are made with the text itself. */
const SECRET = 'your-webhook-secret-key'
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

type Stage = RelayTarget & { leave: (client: RelayClient, subscriptionId: string | null) => Promise<void> }

const interrupted = new AbortController()

try {
  process.exitCode = await main()
} catch (error) {
  const isExpected = error instanceof RelayCallError || error instanceof RelayStartError
  if (!interrupted.signal.aborted) console.error(isExpected ? error.message : error)
  process.exitCode = interrupted.signal.aborted ? 130 : 1
}

async function main(): Promise<number> {
  catchSignals()
  const tally = new Tally(showArrival)
  const receiver = await startReceiver((request) => receive(tally, request))
  try {
    const stage = process.env.RELAY_URL ? givenRelay(process.env.RELAY_URL) : await ownRelay()
    return await demo(stage, receiver.url, tally)
  } finally {
    await receiver.close()
  }
}

async function demo(stage: Stage, receiverUrl: string, tally: Tally): Promise<number> {
  const client = new RelayClient(stage, interrupted.signal)
  const events = readExampleEvents()
  let subscriptionId: string | null = null
  try {
    const wait = waitMs()
    const subscription = { url: receiverUrl, events: ['*'], secret: SECRET, description: 'npm run demo' }
    subscriptionId = (await client.subscribe(subscription)).id
    showTitle(stage.url, receiverUrl, events.length)
    for (const { type, text } of events) {
      const sentAtMs = performance.now()
      const { id } = await client.publish(text)
      tally.published(id, { type, sentAtMs })
    }
    await tally.settle(wait, interrupted.signal)
    showSummary(tally)
    return tally.missing().length + tally.unsigned().length === 0 ? 0 : 1
  } finally {
    await stage.leave(client, subscriptionId)
  }
}

function receive(tally: Tally, { headers, body, receivedAt, receivedAtMs }: ReceivedRequest) {
  const signatures = checkSignatures(SECRET, headers, body)
  const id = String(headers['webhook-id'] ?? '')
  tally.arrived({ id, receivedAt, receivedAtMs, bytes: body.length, signatures })
  const valid = signatures.standard === 'ok' && signatures.hex === 'ok'
  return valid ? { status: 200, body: 'OK' } : { status: 401, body: 'Invalid signature' }
}

/** Events with ids of their own can be published once per workspace, so every run takes a new one. */
function givenRelay(url: string): Stage {
  return {
    url: url.replace(/\/+$/, ''),
    key: process.env.ADMIN_KEY || 'posthorn_local_admin',
    workspace: `demo-${Date.now().toString(36)}`,
    leave: async (client, subscriptionId) => {
      if (subscriptionId === null) return
      await client.unsubscribe(subscriptionId).catch((error: Error) => {
        console.error(`The demo's subscription ${subscriptionId} is still there: ${error.message}`)
      })
    },
  }
}

async function ownRelay(): Promise<Stage> {
  const stateDir = mkdtempSync(path.join(tmpdir(), 'posthorn-demo-'))
  const removeState = () => rmSync(stateDir, { recursive: true, force: true })
  // While it starts, Miniflare's signal handlers end the process before anything here can.
  process.once('exit', removeState)
  try {
    // Loaded only when it is needed: bundler, Miniflare and all take longer to load than the demo to run.
    const { startRelay } = await import('../local/relay.ts')
    const relay = await startRelay({ stateDir, onLog: showFaults })
    catchSignals()
    const leave = async () => {
      await relay.stop()
      removeState()
    }
    return { url: relay.url, key: relay.adminKey, workspace: 'demo', leave }
  } catch (error) {
    removeState()
    throw error
  }
}

/** Ctrl-C ends the demo in order. Miniflare adds handlers of its own, which would exit at once. */
function catchSignals(): void {
  for (const signal of SIGNALS) {
    process.removeAllListeners(signal)
    process.on(signal, () => interrupted.abort())
  }
}

/** The relay's log would drown the deliveries; what went wrong is worth showing. */
function showFaults({ level, message }: { level: string; message: string }): void {
  if (level === 'error' || level === 'warn') console.error(message)
}

function waitMs(): number {
  const seconds = Number(process.env.DEMO_WAIT_SECONDS || 30)
  if (!Number.isFinite(seconds) || seconds <= 0) {
    throw new RelayStartError('DEMO_WAIT_SECONDS must be a number of seconds above 0.')
  }
  return seconds * 1000
}
