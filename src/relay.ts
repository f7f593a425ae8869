import { type BackgroundBounds, BackgroundLimit } from './base/concurrency/background-limit.ts'
import { describeError, type Log, logToConsole } from './base/log.ts'
import { sha256 } from './base/secret/digest.ts'
import { createVault, type Vault } from './base/secret/vault.ts'
import type { RequestDeps } from './deliver/attempt/request.ts'
import type { WorkDeps } from './deliver/claim-run.ts'
import { TurnLimit } from './deliver/paced/turn-limit.ts'
import { settleWithRetries } from './deliver/settle/settle.ts'
import { TokenCache } from './destination/authorize.ts'
import { readSettings, type Settings } from './env.ts'
import type { EventsHint, PacedHint } from './hints/hint.ts'
import { sendHints } from './hints/hint-sender.ts'
import { WAKE_HORIZON_MS, WakeRegister, wakeDelaySeconds } from './hints/wake.ts'
import { Pacers } from './pacing/pacer/client.ts'
import { ConfigurationCache } from './publish/configuration-cache.ts'
import { type Committed, GroupCommit, type WaitingNote } from './publish/group-commit.ts'
import { announce } from './publish/operational-events.ts'
import type { PublishDeps } from './publish/publish.ts'
import { InFlight } from './receiver/in-flight.ts'
import { type Capacity, CapacityWatch } from './store/capacity.ts'
import { CredentialCache } from './subscription/credentials.ts'

export const USER_AGENT = 'Posthorn/0.1.0'

/** Claims of first attempts and retries: of many receivers each. */
const CLAIMS_IN_BACKGROUND: BackgroundBounds = { count: 50, bytes: 24_000_000 }
/** Turns of paced subscriptions: a tenant may have many that hang, and each has turns of its own. */
const SERVINGS_IN_BACKGROUND: BackgroundBounds = { count: 500, bytes: 48_000_000 }

/** Everything one isolate keeps between invocations, built from the environment once. */
export type Relay = {
  env: Env
  settings: Settings
  vault: Vault
  log: Log
  now: () => number
  /** When this isolate made its relay, before whatever it has claimed. */
  startedAtMs: number
  random: () => number
  publish: (background: (work: Promise<unknown>) => void) => PublishDeps
  work: WorkDeps
  stragglers: { claims: BackgroundLimit; turns: BackgroundLimit }
  turns: TurnLimit
  /** How full the database is; asked at most every ten seconds. */
  fill: (background: (work: Promise<unknown>) => void) => Promise<Capacity>
  /** What making one request takes; previews use it without sending. */
  request: RequestDeps
  /** The way to the pacers of metered subscriptions. */
  pacers: Pacers
  /** Asks for what waits for paced subscriptions to be looked at. */
  hintPaced: (entries: PacedHint['subscriptions'], delaySeconds?: number) => Promise<void>
  /** Asks for one delivery to be made now, whatever holds its subscription. */
  hintDelivery: (pair: { subscriptionNo: number; seq: number }) => Promise<void>
  /** Sends wake-ups for due work; `overdue` also for work that should long have been woken. Answers how many. */
  wake: (dueMs: ReadonlyMap<number, number>, options?: { overdue: boolean }) => Promise<number>
}

export type RelayResult = { ok: true; relay: Relay } | { ok: false; message: string }

const relays = new WeakMap<object, RelayResult>()

/** The isolate's relay, or why there is none: see `readSettings`. */
export function relayOf(env: Env): RelayResult {
  const known = relays.get(env)
  if (known !== undefined) return known
  const parsed = readSettings(env as unknown as Record<string, unknown>)
  const result: RelayResult = parsed.ok ? { ok: true, relay: createRelay(env, parsed.settings) } : parsed
  relays.set(env, result)
  return result
}

/** What a relay takes from the machine it runs on. */
export type Machine = Pick<Relay, 'now' | 'random' | 'log'>

const REAL_MACHINE: Machine = { now: () => Date.now(), random: () => Math.random(), log: logToConsole }

/** Wires an environment; no decisions here. */
export function createRelay(env: Env, settings: Settings, { now, random, log } = REAL_MACHINE): Relay {
  const startedAtMs = now()
  const vault = createVault(settings.keyEncryptionKey)
  const configurations = new ConfigurationCache()
  const commits = new GroupCommit()
  const wakes = new WakeRegister()
  const fillWatch = new CapacityWatch()
  const request = requestDeps(env, settings, vault, now)
  const publish: Relay['publish'] = (background) => ({
    db: env.DB,
    bodies: env.BODIES,
    configurations,
    commits,
    now,
    newKey: () => crypto.randomUUID(),
    digest: sha256,
    background,
    onCommitted: (committed) => background(hintCommitted(env, log, committed)),
  })
  return {
    env,
    settings,
    vault,
    log,
    now,
    startedAtMs,
    random,
    publish,
    fill: (background) =>
      fillWatch.read({ db: env.DB, now, maxBytes: settings.maxDatabaseBytes, background }),
    work: {
      db: env.DB,
      now,
      random,
      inFlight: new InFlight(),
      announce: (announcements) => announce(publish, log, announcements),
      settle: (settlement) => settleWithRetries(env.DB, settlement, now, random),
      attempt: {
        bodies: env.BODIES,
        request,
        http: { fetch: egressOf(env), now },
        now,
        random,
        newKey: () => crypto.randomUUID(),
      },
    },
    request,
    stragglers: {
      claims: new BackgroundLimit(CLAIMS_IN_BACKGROUND),
      turns: new BackgroundLimit(SERVINGS_IN_BACKGROUND),
    },
    turns: new TurnLimit(),
    pacers: new Pacers(env.PACERS, random),
    hintPaced: (entries, delaySeconds = 0) => sendPaced(env, entries, delaySeconds),
    hintDelivery: ({ subscriptionNo, seq }) =>
      sendHints(env.RETRIES, [{ hint: { v: 1, kind: 'delivery', subscriptionNo, seq }, delaySeconds: 0 }]),
    wake: (dueMs, options) => wake(env, wakes, now(), dueMs, options?.overdue ?? false),
  }
}

function requestDeps(env: Env, settings: Settings, vault: Vault, now: () => number): RequestDeps {
  const destinations = {
    allowPrivate: settings.allowPrivateDestinations,
    ownHostnames: settings.ownHostnames,
  }
  const authorize = {
    db: env.DB,
    vault,
    fetch: egressOf(env),
    now,
    destinations,
    userAgent: USER_AGENT,
    tokens: new TokenCache(),
  }
  return { vault, now, destinations, userAgent: USER_AGENT, credentials: new CredentialCache(), authorize }
}

/** Deliveries leave through the optional service binding EGRESS, such as a proxy with addresses of its own. */
function egressOf(env: Env & { EGRESS?: Fetcher }): typeof fetch {
  const { EGRESS } = env
  return EGRESS === undefined
    ? (input, init) => fetch(input, init)
    : (input, init) => EGRESS.fetch(input, init)
}

/** Sends hints for what a commit owes. A failure is logged only: the sweeper finds the events. */
async function hintCommitted(env: Env, log: Log, { ranges, waiting }: Committed): Promise<void> {
  const hints = ranges.map(({ workspaceNo, firstSeq, lastSeq }): EventsHint => {
    return { v: 1, kind: 'events', workspaceNo, firstSeq, lastSeq }
  })
  const sending = [
    sendHints(
      env.DELIVERIES,
      hints.map((hint) => ({ hint, delaySeconds: 0 })),
    ),
    sendPaced(env, waiting.flatMap(pacedEntries), 0),
  ]
  for (const sent of await Promise.allSettled(sending)) {
    if (sent.status === 'rejected') {
      log('hint.failed', { hints: hints.length + waiting.length, error: describeError(sent.reason) })
    }
  }
}

/** What began to wait is counted; a flush makes somebody look as well. */
function pacedEntries({
  subscriptionNo: no,
  level,
  isFlushed,
  ...rest
}: WaitingNote): PacedHint['subscriptions'] {
  if (level === 'ordered') return [{ no, ordered: true }]
  const { events, bytes, sinceMs } = rest
  return [...(events > 0 ? [{ no, events, bytes, sinceMs }] : []), ...(isFlushed ? [{ no }] : [])]
}

/** Entries of one hint. */
const ENTRIES_PER_HINT = 100

async function sendPaced(env: Env, entries: PacedHint['subscriptions'], delaySeconds: number): Promise<void> {
  const hints: PacedHint[] = []
  for (let at = 0; at < entries.length; at += ENTRIES_PER_HINT) {
    hints.push({ v: 1, kind: 'paced', subscriptions: entries.slice(at, at + ENTRIES_PER_HINT) })
  }
  await sendHints(
    env.PACED,
    hints.map((hint) => ({ hint, delaySeconds })),
  )
}

async function wake(
  env: Env,
  register: WakeRegister,
  nowMs: number,
  dueMs: ReadonlyMap<number, number>,
  overdue: boolean,
): Promise<number> {
  const wanted = [...dueMs].filter(([no, dueAtMs]) => {
    const isNew = dueAtMs - nowMs <= WAKE_HORIZON_MS && register.claim(no, dueAtMs, nowMs)
    return isNew || (overdue && dueAtMs <= nowMs)
  })
  await sendHints(
    env.RETRIES,
    wanted.map(([subscriptionNo, dueAtMs]) => ({
      hint: { v: 1, kind: 'due', subscriptionNo },
      delaySeconds: wakeDelaySeconds(dueAtMs, nowMs),
    })),
  )
  return wanted.length
}
