export { generateKeyPair, type SignInput, sign } from './sign-test-delivery.ts'
export type { CustomProfile } from './verify/custom.ts'
export type {
  Batch,
  CloudEvent,
  CoreEvent,
  EventOf,
  Payload,
  PlainEvent,
  ProfileOption,
  StandardEvent,
  StandardWebhooksEvent,
} from './verify/envelopes.ts'
export type { HeadersInput } from './verify/headers.ts'
export { type RequestLike, type VerifyRequestResult, verifyRequest } from './verify/request.ts'
export {
  InvalidSignatureError,
  type Refusal,
  type RefusalReason,
  type Verified,
  type VerifyResult,
} from './verify/result.ts'
export type { ProfileName } from './verify/schemes.ts'
export { DEFAULT_TOLERANCE_SECONDS } from './verify/timing.ts'
export {
  type VerifyInput,
  type VerifyKeys,
  type VerifyOptions,
  verify,
  verifyOrThrow,
  verifySignature,
} from './verify/verify.ts'
