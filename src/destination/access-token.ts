import * as z from 'zod'
import { withinMs } from '../base/concurrency/wait.ts'
import type { SealOwner, Vault } from '../base/secret/vault.ts'
import { findAccessToken, saveAccessToken } from './access-tokens.sql.ts'
import { checkTokenUrl, type DestinationAuth, type OAuthClientAuth } from './auth.ts'
import type { WorkspaceDestinations } from './rules.ts'
import type { Flight, TokenCache } from './token-cache.ts'
import {
  type IssuedToken,
  requestToken,
  TOKEN_TIMEOUT_MS,
  type TokenAnswer,
  type TokenRequestDeps,
} from './token-request.ts'
import { rulesWithin } from './url.ts'

export type AuthorizeDeps = TokenRequestDeps & { db: D1Database; vault: Vault; tokens: TokenCache }

/** Whose deliveries are to be authorized: one version of a subscription, with its opened `auth`. */
export type AuthorizeTarget<A extends DestinationAuth = DestinationAuth> = {
  subscriptionNo: number
  /** The subscription, as its secrets are sealed for it. */
  owner: SealOwner
  version: number
  /** The rules of its workspace. */
  destinations: WorkspaceDestinations
  auth: A
}

/** A token is replaced this long before it expires, or a tenth of its life, whichever is shorter. */
const MARGIN_MS_MAX = 30_000
/**
 * A token endpoint is left alone for this long after
 * it failed, or after its renewed token was refused.
 */
const PAUSE_MS = 5_000
/** Waiting for another invocation's request ends then: that invocation may have been cancelled. */
const JOIN_MS_MAX = TOKEN_TIMEOUT_MS + 2_000

const TOKEN_FIELD = 'access_token'
const storedTokenSchema = z.object({ token: z.string(), issuedAtMs: z.number(), expiresAtMs: z.number() })

/**
 * Finds a token other than the `refused` one: in memory, in D1, or by one request at a time. One of an endpoint that is
 * not allowed any more is not used either.
 */
export async function accessToken(
  given: AuthorizeDeps,
  target: AuthorizeTarget<OAuthClientAuth>,
  refused: string | null,
): Promise<TokenAnswer> {
  const deps = { ...given, destinations: rulesWithin(given.destinations, target.destinations) }
  const { tokens } = deps
  const { subscriptionNo: no, version } = target
  const check = checkTokenUrl(target.auth.tokenUrl, deps.destinations)
  if (!check.ok) return { ok: false, message: `the URL of the token endpoint ${check.message}` }
  const nowMs = deps.now()
  const held = tokens.held.get(no)
  if (held?.version === version) {
    if (held.token !== refused && isFresh(held, nowMs)) return { ok: true, ...held }
    const renewedMs = held.renewedAtMs === null ? null : nowMs - held.renewedAtMs
    if (held.token === refused && renewedMs !== null && renewedMs < PAUSE_MS) return REFUSED_AGAIN
  }
  const failure = tokens.failures.get(no)
  if (failure?.version === version && nowMs < failure.untilMs) return { ok: false, message: failure.message }
  const answer = await shareFlight(tokens, { no, version, renews: refused !== null, nowMs }, () =>
    obtain(deps, target, refused),
  )
  return answer.ok && answer.token === refused ? REFUSED_AGAIN : answer
}

const REFUSED_AGAIN: TokenAnswer = {
  ok: false,
  message: 'the receiver refused an access token that the token endpoint issued moments ago',
}

function isFresh({ issuedAtMs, expiresAtMs }: IssuedToken, nowMs: number): boolean {
  return nowMs < expiresAtMs - Math.min(MARGIN_MS_MAX, (expiresAtMs - issuedAtMs) / 10)
}

/** Joins a request that is under way, or makes one that others can join. */
async function shareFlight(
  { flights }: TokenCache,
  wanted: { no: number; version: number; renews: boolean; nowMs: number },
  make: () => Promise<TokenAnswer>,
): Promise<TokenAnswer> {
  const plainKey = `${wanted.no}/${wanted.version}`
  const renewalKey = `${plainKey}/renewal`
  const key = wanted.renews ? renewalKey : plainKey
  const known = flights.get(renewalKey) ?? flights.get(key)
  if (known !== undefined && wanted.nowMs - known.sinceMs < JOIN_MS_MAX) return await join(known)
  const flight: Flight = { sinceMs: wanted.nowMs, answer: make() }
  flights.set(key, flight)
  try {
    return await flight.answer
  } finally {
    if (flights.get(key) === flight) flights.delete(key)
  }
}

async function join(flight: Flight): Promise<TokenAnswer> {
  const message = `no access token within ${JOIN_MS_MAX / 1000} s`
  return await withinMs(JOIN_MS_MAX, flight.answer, () => ({ ok: false, message }))
}

async function obtain(
  deps: AuthorizeDeps,
  target: AuthorizeTarget<OAuthClientAuth>,
  refused: string | null,
): Promise<TokenAnswer> {
  const { held, failures } = deps.tokens
  const { subscriptionNo, version } = target
  const shared = await load(deps, target)
  const own = held.get(subscriptionNo)
  // Another isolate's token helps against a refusal only if it is newer than the refused one.
  const isOlder = refused !== null && own?.version === version && (shared?.issuedAtMs ?? 0) < own.issuedAtMs
  if (shared !== null && !isOlder && shared.token !== refused && isFresh(shared, deps.now())) {
    held.set(subscriptionNo, { ...shared, version, renewedAtMs: null })
    return { ok: true, ...shared }
  }
  const answer = await requestToken(deps, target.auth)
  const nowMs = deps.now()
  if (!answer.ok) {
    failures.set(subscriptionNo, { version, untilMs: nowMs + PAUSE_MS, message: answer.message })
    return answer
  }
  held.set(subscriptionNo, { ...answer, version, renewedAtMs: refused === null ? null : nowMs })
  await save(deps, target, answer)
  return answer
}

/** Sharing saves requests and nothing depends on it: without D1, or its key, each isolate asks anew. */
async function load(
  { db, vault, now }: AuthorizeDeps,
  { subscriptionNo, owner, version }: AuthorizeTarget,
): Promise<IssuedToken | null> {
  try {
    const sealed = await findAccessToken(db, { subscriptionNo, version, nowMs: now() })
    return sealed === null
      ? null
      : storedTokenSchema.parse(JSON.parse(await vault.open(sealed, owner, TOKEN_FIELD)))
  } catch {
    return null
  }
}

async function save(
  { db, vault }: AuthorizeDeps,
  { subscriptionNo, owner, version }: AuthorizeTarget,
  { token, issuedAtMs, expiresAtMs }: IssuedToken,
): Promise<void> {
  try {
    const plain = JSON.stringify({ token, issuedAtMs, expiresAtMs })
    const tokenCipher = await vault.seal(plain, owner, TOKEN_FIELD)
    await saveAccessToken(db, { subscriptionNo, version, tokenCipher, expiresAtMs })
  } catch {
    // The token is good all the same; see `load`.
  }
}
