import type { ReadClaim } from './claim.ts'
import { type CustomProfile, customReader } from './custom.ts'
import type { EventOf, ProfileOption } from './envelopes.ts'
import { type HeadersInput, type ReceivedHeaders, receivedHeaders } from './headers.ts'
import { type Keys, matchSignature, readKeys } from './keys.ts'
import { bodyBytes, parsePayload, payloadEvents, payloadId } from './payload.ts'
import { InvalidSignatureError, type Refusal, refuse, type Verified, type VerifyResult } from './result.ts'
import { bodySignature, detectProfile, PROFILES, type ProfileName } from './schemes.ts'
import { DEFAULT_TOLERANCE_SECONDS, timingRefusal } from './timing.ts'

/** A receiver's options, the same for all its deliveries. */
export type VerifyOptions<Profile extends ProfileOption = ProfileOption> = VerifyKeys & {
  /**
   * The subscription's `profile`. Left out, it is recognised by the headers that sign a time:
   * `webhook-signature`, then `X-Ledgerly-Signature`. `any` also takes `X-Signature` and
   * `X-Webhook-Signature`, and so a `standard` delivery replayed without its `webhook-` headers.
   */
  profile?: Profile | undefined
  /** The subscription's `custom`, with the profile `custom`. */
  custom?: CustomProfile | null | undefined
  /** Default 300, both ways; `Infinity` accepts any time. Only for schemes that sign one. */
  toleranceSeconds?: number | undefined
  /** The receiver's clock in unix milliseconds; default `Date.now()`. */
  now?: number | undefined
}

/** The secret as the relay shows it, prefix included, or several of them; `whpk_…` keys check `v1a`. */
export type VerifyKeys =
  | { secret: string | readonly string[]; publicKey?: string | readonly string[] | undefined }
  | { secret?: undefined; publicKey: string | readonly string[] }

/**
 * A delivery and the options to check it. `body` is what came over the wire, not parsed and printed
 * again.
 */
export type VerifyInput<Profile extends ProfileOption = ProfileOption> = VerifyOptions<Profile> & {
  body: string | Uint8Array | ArrayBuffer
  headers: HeadersInput
}

/**
 * Checks a delivery's signature and, where it is signed, its time. Never throws; `reason` says what
 * is wrong with the request or the options. `Data` types the data of its events, unchecked: a
 * template of the subscription may give them any other form.
 */
export async function verify<Data = unknown, Profile extends ProfileOption = 'standard'>(
  input: VerifyInput<Profile>,
): Promise<VerifyResult<EventOf<Profile, Data>>> {
  try {
    return (await check(input)) as VerifyResult<EventOf<Profile, Data>>
  } catch {
    // WebCrypto throws where it lacks an algorithm: ed25519, or all of them on pages without TLS.
    return refuse('unsupported', 'this runtime cannot check the signature: its WebCrypto lacks the algorithm')
  }
}

/**
 * `verify` for callers who prefer exceptions.
 *
 * @throws InvalidSignatureError with the reason
 */
export async function verifyOrThrow<Data = unknown, Profile extends ProfileOption = 'standard'>(
  input: VerifyInput<Profile>,
): Promise<Verified<EventOf<Profile, Data>>> {
  const result = await verify<Data, Profile>(input)
  if (!result.ok) throw new InvalidSignatureError(result)
  return result
}

/**
 * Checks `sha256=<hex>` over the payload alone, which says nothing of the time of sending; false
 * for an empty secret and for a text that is no signature.
 */
export async function verifySignature(
  payload: string | Uint8Array | ArrayBuffer,
  signatureHeader: string | null | undefined,
  secret: string | readonly string[],
): Promise<boolean> {
  if (typeof signatureHeader !== 'string' || bodySignature(signatureHeader) === null) return false
  const result = await verify({
    body: payload,
    headers: { 'X-Signature': signatureHeader },
    secret,
    profile: 'bigledger',
  })
  return result.ok
}

async function check(input: VerifyInput): Promise<VerifyResult> {
  const settings = readSettings(input)
  if (!settings.ok) return settings
  const body = bodyBytes(input.body)
  if (body === null) {
    return refuse(
      'invalid_body',
      'body must be the raw body (string, Uint8Array, ArrayBuffer), not the parsed one',
    )
  }
  const headers = receivedHeaders(input.headers)
  if (headers === null) return refuse('invalid_options', 'headers must be Headers, an object or pairs')
  const readClaim = settings.readerFor(headers)
  if (typeof readClaim !== 'function') return readClaim
  const claim = readClaim(headers, body)
  if (!claim.ok) return claim
  const match = await matchSignature(claim, settings.keys)
  if (!match.ok) return match
  // After the signature, so that these reasons are about requests that were once genuine.
  const { timestampSeconds } = claim
  const late =
    timestampSeconds === null
      ? null
      : timingRefusal(timestampSeconds, settings.now, settings.toleranceSeconds)
  if (late !== null) return late
  const event = parsePayload(body)
  const id = claim.id ?? payloadId(event)
  return { ...match, event, events: payloadEvents(event), id, timestampSeconds }
}

type Settings = {
  ok: true
  keys: Keys
  toleranceSeconds: number
  now: number
  readerFor: (headers: ReceivedHeaders) => ReadClaim | Refusal
}

/** Checks the options at run time as well: a NaN tolerance would accept any time. */
function readSettings(input: VerifyInput): Settings | Refusal {
  if (typeof input !== 'object' || input === null)
    return refuse('invalid_options', 'options must be an object')
  const { toleranceSeconds = DEFAULT_TOLERANCE_SECONDS, now = Date.now() } = input
  if (typeof toleranceSeconds !== 'number' || !(toleranceSeconds >= 0)) {
    return refuse('invalid_options', 'toleranceSeconds must be a number, 0 or more')
  }
  if (typeof now !== 'number' || !Number.isFinite(now)) {
    return refuse('invalid_options', 'now must be unix milliseconds')
  }
  const readerFor = profileReader(input.profile, input.custom)
  if (typeof readerFor !== 'function') return readerFor
  const keys = readKeys(input.secret, input.publicKey)
  if (!keys.ok) return keys
  return { ok: true, keys, toleranceSeconds, now, readerFor }
}

function profileReader(profile: unknown, custom: unknown): Settings['readerFor'] | Refusal {
  if (profile === 'custom') {
    const reader = customReader(custom)
    return typeof reader === 'function' ? () => reader : reader
  }
  if (custom !== undefined && custom !== null) {
    return refuse('invalid_options', 'custom must come with profile "custom"')
  }
  if (profile === undefined || profile === 'any')
    return (headers) => detectProfile(headers, profile === 'any')
  if (typeof profile !== 'string' || !Object.hasOwn(PROFILES, profile)) {
    return refuse('invalid_options', `profile must be any, custom, ${Object.keys(PROFILES).join(', ')}`)
  }
  const reader = PROFILES[profile as ProfileName]
  return () => reader
}
