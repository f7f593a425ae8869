import { customReader } from '../verify/custom.ts'
import type { Refusal } from '../verify/result.ts'
import { PROFILES } from '../verify/schemes.ts'
import { DEFAULT_TOLERANCE_SECONDS, timingRefusal } from '../verify/timing.ts'
import { explainComputed } from './computed.ts'
import { type Examined, type Found, isThere, type Scheme, unproven } from './examined.ts'
import { explainHeaders } from './explain-headers.ts'
import { explainSignature } from './explain-signature.ts'
import { renamedHeaders } from './headers.ts'
import { SignatureSearch } from './search.ts'

/** The part of the check that a request fails at; null where it is genuine, and in time. */
export type FailedCheck = 'headers' | 'secret' | 'signature' | 'timestamp' | 'receiver'

export type Diagnosis = {
  profile: Scheme['profile'] | null
  failed: FailedCheck | null
  timestampSeconds: number | null
  found: Found | null
}

/** Profiles by which a request is recognised, those that sign a time first. */
const RECOGNISED = ['standard', 'ledgerly', 'bigledger', 'core'] as const

/** Examines a request: the check that it fails, and the likely reason. Throws for nothing that was sent. */
export async function diagnose(examined: Examined): Promise<Diagnosis> {
  const scheme = schemeOf(examined)
  if (scheme === null) return failure(null, 'headers', NO_SIGNATURE)
  if (!('read' in scheme)) return failure('custom', 'headers', unproven('malformed_header', scheme.message))
  const { profile } = scheme
  const search = new SignatureSearch()
  const claim = scheme.read(examined.headers, examined.body)
  if (!claim.ok) {
    const found = await explainHeaders({ search, scheme, examined, refusal: claim })
    return failure(profile, 'headers', found)
  }
  const { timestampSeconds } = claim
  if (!(await search.matches(claim, examined.keys))) {
    const found = await explainSignature({ search, scheme, examined, claim })
    const failed = found.cause.startsWith('secret_') ? 'secret' : 'signature'
    return { ...failure(profile, failed, found), timestampSeconds }
  }
  const late = timestampSeconds === null ? null : lateness(examined, timestampSeconds)
  if (late !== null) return { ...failure(profile, 'timestamp', late), timestampSeconds }
  const computed = await explainComputed(search, { scheme, examined, claim })
  return { profile, failed: computed && 'receiver', timestampSeconds, found: computed }
}

function schemeOf(examined: Examined): Scheme | Refusal | null {
  const { profile, custom } = examined
  if (profile === 'custom') {
    const read = customReader(custom)
    return typeof read === 'function' ? { profile, read } : read
  }
  const name = profile ?? recognised(examined)
  return name === null ? null : { profile: name, read: PROFILES[name] }
}

/** The profile whose header is there, as it was sent or under another name. */
function recognised({ headers, body }: Examined): (typeof RECOGNISED)[number] | null {
  for (const each of [headers, renamedHeaders(headers)]) {
    const name = RECOGNISED.find((one) => isThere(PROFILES[one], each, body))
    if (name !== undefined) return name
  }
  return null
}

function lateness(
  { receivedAtMs, toleranceSeconds = DEFAULT_TOLERANCE_SECONDS }: Examined,
  signedAtSeconds: number,
): Found | null {
  const refusal = timingRefusal(signedAtSeconds, receivedAtMs, toleranceSeconds)
  if (refusal === null) return null
  const cause = refusal.reason === 'timestamp_too_new' ? 'timestamp_too_new' : 'timestamp_too_old'
  return { cause, isProven: true, message: `The signature is genuine: ${refusal.message}.` }
}

const NO_SIGNATURE = unproven('missing_header', 'the request has no signature header of any profile')

function failure(profile: Diagnosis['profile'], failed: FailedCheck, found: Found): Diagnosis {
  return { profile, failed, timestampSeconds: null, found }
}
