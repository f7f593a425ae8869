/** `npm start`: the whole relay on this machine, with its state on disk, until Ctrl-C. */
import process from 'node:process'
import { SLOTS_MAX, SLOTS_UNLIMITED } from '../../src/base/concurrency/slots.ts'
import { type Relay, startRelay } from '../local/relay.ts'
import { RelayStartError } from '../local/start-error.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

function numberFrom(name: string, fallback: number, max: number): number {
  const text = process.env[name]
  if (text === undefined || text === '') return fallback
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new RelayStartError(`${name} must be a whole number from 0 to ${max}, not "${text}".`)
  }
  return value
}

/** Variables of the Worker that the shell may set. */
function varsFromShell(): Record<string, string> {
  const names = ['ALLOW_PRIVATE_DESTINATIONS', 'OWN_HOSTNAMES', 'LOG_SAMPLE'] as const
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

function banner(relay: Relay): string {
  const call = (path: string, body: unknown) =>
    [
      `  curl -s ${relay.url}/api/v1${path} \\`,
      `    -H 'Authorization: Bearer ${relay.adminKey}' -H 'Content-Type: application/json' \\`,
      `    -d '${JSON.stringify(body)}'`,
    ].join('\n')
  return `
Posthorn   ${relay.url}
Admin key  ${relay.adminKey}
State      ${relay.stateDir}

Subscribe a receiver of yours:
${call('/webhooks/subscribe', { url: 'http://127.0.0.1:3000/hooks', events: ['invoice.*'] })}

Publish an event:
${call('/events', { event: 'invoice.paid', data: { object: { id: 'inv_1', total: 1200 } } })}

Ctrl-C stops it; the state stays.
`
}

/** Miniflare's own signal handlers would exit at once, with the signal's code and the state folder still taken. */
function stopOnSignals(relay: Relay): void {
  const stop = () => {
    // From a terminal under npm each signal comes twice: the group's, and npm's.
    for (const signal of SIGNALS) process.on(signal, () => {})
    setTimeout(() => process.exit(1), 5000).unref()
    relay.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error('Stopping failed:', error)
        process.exit(1)
      },
    )
  }
  for (const signal of SIGNALS) {
    process.removeAllListeners(signal)
    process.once(signal, stop)
  }
}

try {
  const relay = await startRelay({
    port: numberFrom('PORT', 8787, 65_535),
    stateDir: process.env.STATE_DIR || '.posthorn',
    adminKey: process.env.ADMIN_KEY || 'posthorn_local_admin',
    slots: numberFrom('DELIVERY_SLOTS', SLOTS_UNLIMITED, SLOTS_MAX),
    vars: varsFromShell(),
  })
  stopOnSignals(relay)
  console.log(banner(relay))
} catch (error) {
  console.error(error instanceof RelayStartError ? error.message : error)
  process.exit(1)
}
