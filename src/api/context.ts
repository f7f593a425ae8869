import type { Reach } from '../access/binding.ts'
import type { Caller } from '../access/caller.ts'
import type { PortalTokens } from '../access/portal/token.ts'
import type { Audit } from '../audit/audit-log.ts'
import type { Log } from '../base/log.ts'
import type { Vault } from '../base/secret/vault.ts'
import type { PreviewDeps } from '../deliver/attempt/preview.ts'
import type { DestinationRules } from '../destination/url.ts'
import type { HintSender } from '../hints/hint-sender.ts'
import type { Listeners } from '../listen/client.ts'
import type { StatusDeps } from '../operate/status.ts'
import type { Received, ReceivedAnswer } from '../publish/received-line.ts'
import type { TargetedEventDeps } from '../publish/targeted-event.ts'
import type { Capacity } from '../store/capacity.ts'
import type { IsolateStreams } from '../stream/isolate-streams.ts'
import type { DeletionWatch } from '../workspace/deletion-watch.ts'
import type { BodyBudgets } from './body/body-hold.ts'
import type { CallerLimits } from './limits/caller-limits.ts'

/**
 * Everything the calls of one request may reach: `createApp` makes
 * it, so that no call can do more with the relay than is named here.
 */
export type ApiDeps = {
  db: D1Database
  bodies: R2Bucket
  /** Room for the bodies of all requests of the isolate. */
  bodyBudgets: BodyBudgets
  vault: Vault
  portalTokens: PortalTokens
  /** The origin of the portal's page, where it is not that of the request. */
  portalOrigin: string | null
  /** The subscriptions that the caller may see and change. */
  reach: Reach
  now: () => number
  newKey: () => string
  log: Log
  audit: Audit
  hints: HintSender
  /** Keeps work alive after the answer. */
  background: (work: Promise<unknown>) => void
  /**
   * The rules of where subscriptions may point: never at the
   * relay, by a configured name or the one that this request used.
   */
  destinations: DestinationRules
  /** The database's fill level, asked for at most every ten seconds. */
  capacity: () => Promise<Capacity>
  publish: TargetedEventDeps
  /** The limits of the caller. */
  limits: CallerLimits
  /** The caller's own limit of the workspace's subscriptions; null for none. */
  subscriptionsMax: number | null
  /** Writes the log line of a publish request, where its answers are drawn for one. */
  logReceived: (request: Omit<Received, 'requestId'>, answers: readonly ReceivedAnswer[]) => void
  preview: PreviewDeps
  status: StatusDeps
  streams: IsolateStreams
  listeners: Listeners
  /** Judges the caller's credential anew, while a call lasts. Never rejects. */
  isStillAllowed: () => Promise<boolean>
  /** The workspaces that are being deleted. */
  deletions: DeletionWatch
  /** Goes on with the deletion of workspaces, by a few steps. Never rejects. */
  eraseWorkspaces: () => Promise<void>
}

/** Hono's types for this application. */
export type AppEnv = {
  Bindings: Env
  Variables: {
    requestId: string
    deps: ApiDeps
    workspaceId: string
    caller: Caller
  }
}
