/** `npm start`: the whole relay on this machine, with its state on disk, until Ctrl-C. */
import process from 'node:process'
import { SLOTS_MAX, SLOTS_UNLIMITED } from '../../src/base/concurrency/slots.ts'
import { LOCAL_ADMIN_KEY } from '../../src/env.ts'
import { describeMigrations } from '../local/migrations/migrated.ts'
import { type Relay, type RelayOptions, startRelay } from '../local/relay.ts'
import { numberFromShell, varsFromShell } from '../local/shell-variables.ts'
import { RelayStartError } from '../local/start-error.ts'
import { stopOnSignals } from '../local/stop-on-signals.ts'
import { Voice } from '../local/voice/voice.ts'

const TICK_MS = 1000

/** The receiver that the README starts. */
const RECEIVER = {
  url: 'http://127.0.0.1:3000/hooks',
  events: ['invoice.*'],
  secret: 'your-webhook-secret-key',
}

/** Well above the lines that a person can read, from which on the voice sums up. */
const LOG_LINES_PER_SECOND = '100'

/** Where the Worker's lines go: to a person, or as JSON to the console with LOG=json. */
function logging(): Pick<RelayOptions, 'onLog' | 'onCronFailed' | 'onRestarted'> & {
  vars: Record<string, string>
} {
  const vars = varsFromShell(process.env)
  if (process.env.LOG === 'json') return { vars }
  if (process.env.LOG) throw new RelayStartError(`LOG must be json or left out, not "${process.env.LOG}".`)
  const voice = new Voice((line) => console.log(line))
  setInterval(() => voice.tick(Date.now()), TICK_MS).unref()
  const warn = (message: string) => voice.hear({ level: 'warn', message, timestamp: Date.now() })
  return {
    // A line for every publish and delivery is what the voice is made of.
    vars: { LOG_SAMPLE: '1', LOG_LINES_PER_SECOND, ...vars },
    onLog: (line) => voice.hear(line),
    onCronFailed: (_cron, error) => {
      const message = error instanceof Error ? error.message : String(error)
      // The Worker has logged the reason itself.
      if (!message.endsWith('"exception"')) warn(`The sweep could not run: ${message}`)
    },
    onRestarted: () => {
      warn(
        'The runtime has crashed and was started again.\nNothing accepted is lost: the sweep looks for it.',
      )
    },
  }
}

function banner(relay: Relay): string {
  const isOwnKey = relay.adminKey !== LOCAL_ADMIN_KEY
  const call = (path: string, body: unknown) =>
    [
      `  curl -s ${relay.url}/api/v1${path} \\`,
      `    -H ${isOwnKey ? '"Authorization: Bearer $ADMIN_KEY"' : `'Authorization: Bearer ${relay.adminKey}'`} -H 'Content-Type: application/json' \\`,
      `    -d '${JSON.stringify(body)}'`,
    ].join('\n')
  return `
Posthorn   ${relay.url}  (API, and the dashboard in a browser)
Reference  ${relay.url}/docs
Admin key  ${isOwnKey ? 'that of ADMIN_KEY' : relay.adminKey}
State      ${relay.stateDir}${describeMigrations(relay)}

Subscribe a receiver of yours:
${call('/webhooks/subscribe', RECEIVER)}

Publish an event:
${call('/events', { event: 'invoice.paid', data: { object: { id: 'inv_1', total: 1200 } } })}

Ctrl-C stops it; the state stays.
`
}

try {
  // What the relay and its children write is for this user alone.
  process.umask(0o077)
  const relay = await startRelay({
    port: numberFromShell('PORT', { fallback: 8787, min: 0, max: 65_535 }),
    stateDir: process.env.STATE_DIR || '.posthorn',
    adminKey: process.env.ADMIN_KEY || LOCAL_ADMIN_KEY,
    slots: numberFromShell('DELIVERY_SLOTS', { fallback: SLOTS_UNLIMITED, min: 1, max: SLOTS_MAX }),
    ...logging(),
  })
  stopOnSignals(relay)
  console.log(banner(relay))
} catch (error) {
  console.error(error instanceof RelayStartError ? error.message : error)
  process.exit(1)
}
