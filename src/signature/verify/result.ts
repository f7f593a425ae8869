import type { Payload } from './envelopes.ts'

/**
 * The reason why a delivery is refused.
 *
 * - `missing_header`: a header of the scheme is not there, or the request carries none that could
 * be recognised
 * - `malformed_header`: a header is there, but is not of the scheme's form, or is there more than
 * once
 * - `no_matching_signature`: no signature was made with one of the secrets over exactly this
 * content
 * - `timestamp_too_old`, `timestamp_too_new`: genuine, but signed at a time outside the tolerance
 * - `invalid_body`: the body is not the raw text or bytes, or could not be read
 * - `invalid_secret`, `invalid_public_key`, `invalid_options`: a mistake in the call itself
 * - `unsupported`: this runtime's WebCrypto lacks the algorithm
 */
export type RefusalReason =
  | 'missing_header'
  | 'malformed_header'
  | 'no_matching_signature'
  | 'timestamp_too_old'
  | 'timestamp_too_new'
  | 'invalid_body'
  | 'invalid_secret'
  | 'invalid_public_key'
  | 'invalid_options'
  | 'unsupported'

/** `message` is for the receiver's log; it never repeats a secret, nor what the sender wrote. */
export type Refusal = { ok: false; reason: RefusalReason; message: string }

/** A genuine delivery. `Event` is how the profile writes one event; it is not checked at run time. */
export type Verified<Event = unknown> = {
  ok: true
  /** The parsed payload; `undefined` when the body is not JSON, which a receiver of JSON should refuse. */
  event: Payload<Event> | undefined
  /** The events in the payload: one, or all of a batch; none when the body is not JSON. */
  events: readonly Event[]
  /**
   * The id to drop repetitions by: the signed id or, where a scheme signs the body alone, the
   * payload's `id` or `batchId`. It is never an unsigned header; `null` when there is neither.
   */
  id: string | null
  /** The attempt's time in unix seconds; `null` where the scheme does not sign one. */
  timestampSeconds: number | null
  /** Index of the secret that made the signature, 0 for a single one; `null` when a public key did. */
  matchedSecret: number | null
  /** Index of the public key that matched; `null` when a secret did. */
  matchedPublicKey: number | null
}

export type VerifyResult<Event = unknown> = Verified<Event> | Refusal

/** Thrown by `verifyOrThrow`; `reason` says why, as in `verify`. */
export class InvalidSignatureError extends Error {
  override readonly name = 'InvalidSignatureError'
  readonly reason: RefusalReason

  constructor({ reason, message }: Pick<Refusal, 'reason' | 'message'>) {
    super(message)
    this.reason = reason
  }
}

/** A refusal with its reason and a message that says what would be right. */
export function refuse(reason: RefusalReason, message: string): Refusal {
  return { ok: false, reason, message }
}
