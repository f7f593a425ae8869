import type { ReadClaim } from '../verify/claim.ts'
import type { CustomProfile } from '../verify/custom.ts'
import type { ReceivedHeaders } from '../verify/headers.ts'
import type { ProfileName } from '../verify/schemes.ts'
import type { Cause } from './causes.ts'

/** Keys of one holder, with which a request should verify, or should not. */
export type HolderKeys = { secrets: readonly string[]; publicKeys: readonly Uint8Array[] }

/** Keys that a request may have been signed with by mistake, and whose they are. */
export type OtherKeys = HolderKeys & {
  cause: 'previous_secret' | 'other_secret' | 'other_subscription'
  holder: string | null
}

/** A request as its receiver saw it, and what it should be verified by. */
export type Examined = {
  headers: ReceivedHeaders
  body: Uint8Array
  /** Undefined where it is to be recognised. */
  profile: ProfileName | 'custom' | undefined
  custom: CustomProfile | null
  keys: HolderKeys
  /** Opened one after the other, and only where the own keys have not matched. */
  others: () => AsyncIterable<OtherKeys>
  /** The signature that the receiver has computed itself, where it tells. */
  computed: string | null
  receivedAtMs: number
  toleranceSeconds?: number | undefined
}

/** The scheme by which a request is examined. */
export type Scheme = { profile: ProfileName | 'custom'; read: ReadClaim }

/** A cause that was found; `isProven` where the signature matches once it is undone. */
export type Found = { cause: Cause; isProven: boolean; message: string; holder?: string | null }

/** True where a request has the header of a scheme, in whatever form. */
export function isThere(read: ReadClaim, headers: ReceivedHeaders, body: Uint8Array): boolean {
  const claim = read(headers, body)
  return claim.ok || claim.reason !== 'missing_header'
}

/** A cause that nothing has proven. */
export function unproven(cause: Cause, message: string): Found {
  return { cause, isProven: false, message: `${message.charAt(0).toUpperCase()}${message.slice(1)}.` }
}
