import { type IsolateAccess, isolateAccess } from './access/isolate-access.ts'
import { type Audit, AuditLog } from './audit/audit-log.ts'
import { RefusalBudgets } from './audit/refusal-budget.ts'
import { type BackgroundBounds, BackgroundLimit } from './base/concurrency/background-limit.ts'
import { ByteBudget } from './base/concurrency/byte-budget.ts'
import { Drain } from './base/concurrency/drain.ts'
import { LineBudget } from './base/line-budget.ts'
import { type Log, logToConsole } from './base/log.ts'
import { fromBase64 } from './base/secret/sealing-key.ts'
import { createVault, type Vault } from './base/secret/vault.ts'
import { sleep } from './base/time.ts'
import { type RequestDeps, USER_AGENT } from './deliver/attempt/request.ts'
import type { WorkDeps } from './deliver/claim-run.ts'
import { DeliveryLines } from './deliver/delivery-lines.ts'
import { TurnLimit } from './deliver/paced/turn-limit.ts'
import { readSettings, type Settings } from './env.ts'
import { HintSender } from './hints/hint-sender.ts'
import { Listeners } from './listen/client.ts'
import { Readiness } from './operate/readiness.ts'
import { egressOf, type Machine, requestDeps, workDeps } from './outbound.ts'
import { LateStarts } from './pacing/late-starts.ts'
import { Pacers } from './pacing/pacer/client.ts'
import { type IsolateLimits, isolateLimits } from './publish/admission/isolate-limits.ts'
import { GroupCommit } from './publish/commit/group-commit.ts'
import { hintCommitted } from './publish/commit/hint-committed.ts'
import { ConfigurationCache } from './publish/configuration-cache.ts'
import type { PublishDeps } from './publish/publish.ts'
import {
  type EraseReport,
  type EraseWorkspacesDeps,
  eraseWorkspaces,
} from './retention/erase/erase-workspaces.ts'
import { type Capacity, CapacityWatch } from './store/capacity.ts'
import { KeyCheck, WRONG_KEY_MESSAGE } from './store/key-check.ts'
import { type IsolateStreams, isolateStreams } from './stream/isolate-streams.ts'
import { DeletionWatch } from './workspace/deletion-watch.ts'

/** Claims of first attempts and retries: of many receivers each. */
const CLAIMS_IN_BACKGROUND: BackgroundBounds = { count: 1_000, bytes: 24_000_000 }
/** Turns of paced subscriptions: a tenant may have many that hang, and each has turns of its own. */
const SERVINGS_IN_BACKGROUND: BackgroundBounds = { count: 500, bytes: 48_000_000 }

/** Memory of request bodies at once: many small ones, and the largest alone. */
const BODY_BUDGET_BYTES = { small: 12_000_000, medium: 24_000_000, large: 64_000_000 }

type KeepAlive = (work: Promise<unknown>) => void

/** Everything one isolate keeps between invocations, built from the environment once. */
export type Relay = {
  env: Env
  settings: Settings
  vault: Vault
  log: Log
  /** Lines of what went well that this isolate may still write. */
  lineBudget: LineBudget
  now: () => number
  random: () => number
  /** When this isolate made its relay, before its first claim. */
  startedAtMs: number
  access: IsolateAccess
  audit: Audit
  /** The dependencies of a publish, whose work after the answer is kept alive by `background`. */
  publish: (background: KeepAlive) => PublishDeps
  /** The database's fill level; asked at most every ten seconds. */
  capacity: (background: KeepAlive) => Promise<Capacity>
  limits: IsolateLimits
  readiness: Readiness
  keyCheck: KeyCheck
  hints: HintSender
  /** Making and recording attempts. */
  work: WorkDeps
  /** Making one request; previews use it without sending. */
  request: RequestDeps
  /** The work that invocations have left behind, over all of them. */
  background: { claims: BackgroundLimit; servings: BackgroundLimit }
  /** Memory of the requests' bodies, over all invocations. */
  bodyBudgets: Record<keyof typeof BODY_BUDGET_BYTES, ByteBudget>
  turns: TurnLimit
  lateStarts: LateStarts
  /** Calls of the pacers of limited subscriptions. */
  pacers: Pacers
  streams: IsolateStreams
  /** The listeners in place of receivers that no URL reaches. */
  listeners: Listeners
  /** The workspaces that are being deleted. */
  deletions: DeletionWatch
  /** Goes on with the deletion of workspaces, by some steps. */
  eraseWorkspaces: (stepsMax: number) => Promise<EraseReport>
  /** Closed while the process that runs this isolate is being stopped. */
  drain: Drain
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

/** The isolate's relay, unless its database was sealed under another key than it has. */
export async function provenRelayOf(env: Env): Promise<RelayResult> {
  const result = relayOf(env)
  if (!result.ok || (await result.relay.keyCheck.check())) return result
  return { ok: false, message: WRONG_KEY_MESSAGE }
}

const REAL_MACHINE: Machine = {
  now: () => Date.now(),
  random: () => Math.random(),
  log: logToConsole,
  sleep,
}

/** Wires an environment; no decisions here. */
export function createRelay(env: Env, settings: Settings, machine = REAL_MACHINE): Relay {
  const { now, random, log } = machine
  const startedAtMs = now()
  const vault = createVault(settings.keyEncryptionKey, settings.previousKeyEncryptionKey)
  const hints = hintSender(env, settings, now)
  const configurations = new ConfigurationCache()
  const publish = publishDeps(env, machine, { hints, configurations })
  const listeners = new Listeners(env.LISTENERS, log)
  const request = requestDeps(env, settings, { vault, listeners, now })
  const capacityWatch = new CapacityWatch()
  const drain = new Drain(now)
  const limits = isolateLimits({
    ...machine,
    ...{ db: env.DB, limiters: env.LIMITERS, configurations, newKey: () => crypto.randomUUID() },
  })
  const pacers = new Pacers(env.PACERS, random)
  const streams = isolateStreams(env.STREAMS, log)
  const lineBudget = new LineBudget(settings.logLinesPerSecond, machine)
  return {
    env,
    settings,
    vault,
    log,
    lineBudget,
    now,
    random,
    startedAtMs,
    access: accessOf(env, settings, { now, configurations }),
    audit: { log: new AuditLog(), refusals: new RefusalBudgets() },
    publish,
    capacity: (background) =>
      capacityWatch.read({ db: env.DB, now, maxBytes: settings.maxDatabaseBytes, background }),
    limits,
    readiness: new Readiness(env.DB),
    keyCheck: new KeyCheck(env.DB, vault),
    hints,
    work: workDeps(env, machine, {
      publish,
      request,
      streams,
      lines: new DeliveryLines(log, { sample: settings.logSample, budget: lineBudget }),
      drain,
    }),
    request,
    background: {
      claims: new BackgroundLimit(CLAIMS_IN_BACKGROUND, now),
      servings: new BackgroundLimit(SERVINGS_IN_BACKGROUND, now),
    },
    bodyBudgets: {
      small: new ByteBudget(BODY_BUDGET_BYTES.small, now),
      medium: new ByteBudget(BODY_BUDGET_BYTES.medium, now),
      large: new ByteBudget(BODY_BUDGET_BYTES.large, now),
    },
    turns: new TurnLimit(),
    lateStarts: new LateStarts(),
    pacers,
    streams,
    listeners,
    deletions: new DeletionWatch(env.DB, now),
    eraseWorkspaces: (stepsMax) => eraseWorkspaces(eraseDeps(env, { pacers, limits, now }), { stepsMax }),
    drain,
  }
}

function hintSender(env: Env, { slots }: Settings, now: () => number): HintSender {
  const queues = {
    deliveries: env.DELIVERIES,
    bulk: env.BULK_DELIVERIES,
    unproven: env.UNPROVEN_DELIVERIES,
    retries: env.RETRIES,
    bulkRetries: env.BULK_RETRIES,
    paced: env.PACED,
  }
  return new HintSender(queues, slots, now)
}

function accessOf(
  env: Env,
  { identity, keyEncryptionKey, previousKeyEncryptionKey: previous }: Settings,
  { now, configurations }: { now: () => number; configurations: ConfigurationCache },
): IsolateAccess {
  // During a change of the key, tokens that the one before has signed are good as well.
  const portalSecrets = [keyEncryptionKey, ...(previous === null ? [] : [previous])].map(fromBase64)
  const known: IsolateAccess['known'] = (workspaceId) => configurations.accessOf(workspaceId)
  const outside = { fetch: egressOf(env), userAgent: USER_AGENT }
  return isolateAccess({ db: env.DB, now, known, identity, portalSecrets, ...outside })
}

/** A publish of the relay itself, whom nothing refuses: one for a caller is given another judge. */
function publishDeps(
  env: Env,
  { now, log }: Machine,
  { hints, configurations }: { hints: HintSender; configurations: ConfigurationCache },
): Relay['publish'] {
  const kept = { configurations, commits: new GroupCommit() }
  return (background) => ({
    db: env.DB,
    bodies: env.BODIES,
    ...kept,
    judge: () => null,
    // Events of the relay itself have no limits.
    admit: () => null,
    now,
    newKey: () => crypto.randomUUID(),
    background,
    onCommitted: (committed) => background(hintCommitted(hints, log, committed)),
  })
}

function eraseDeps(
  env: Env,
  { pacers, limits, now }: Pick<Relay, 'pacers' | 'limits' | 'now'>,
): EraseWorkspacesDeps {
  return {
    db: env.DB,
    bodies: env.BODIES,
    now,
    newId: () => crypto.randomUUID(),
    sleep,
    forgetPacers: pacers.forget,
    forgetLimiter: limits.limiters.forget,
  }
}
