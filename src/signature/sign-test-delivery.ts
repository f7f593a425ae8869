import { generateEd25519 } from './ed25519.ts'
import { type CustomScheme, importSigner, type SignerConfig, signDelivery } from './schemes.ts'
import { type CustomProfile, customReader } from './verify/custom.ts'
import { bodyBytes, isBatch, parsePayload, payloadId, textMember } from './verify/payload.ts'
import { PROFILES, type ProfileName } from './verify/schemes.ts'

/** A body to sign as the relay would, to try a receiver. */
export type SignInput = {
  body: string | Uint8Array | ArrayBuffer
  /** The subscription's secret; or the new one and the old one, as during a rotation. */
  secret: string | readonly [secret: string] | readonly [newSecret: string, oldSecret: string]
  /** Default `standard`. */
  profile?: ProfileName | 'custom' | undefined
  /** The subscription's `custom`, with the profile `custom`. */
  custom?: CustomProfile | null | undefined
  /** A `whsk_…` of `generateKeyPair`: `webhook-signature` gets a `v1a` beside its `v1`. */
  secretKey?: string | undefined
  /** Default: the id in the body, as in a delivery, or else a new one. */
  id?: string | undefined
  /** Default: the type in the body. */
  event?: string | undefined
  /** The time of sending, in unix milliseconds; default `Date.now()`. */
  now?: number | undefined
}

/**
 * Signs a body as the relay signs a delivery, for tests of a receiver. Answers the headers to send
 * with it.
 *
 * @throws TypeError for options that no subscription could have
 * @throws RangeError for a secret or an id that cannot sign
 */
export async function sign(input: SignInput): Promise<Record<string, string>> {
  const body = bodyBytes(input.body)
  if (body === null) throw new TypeError('body must be a string, Uint8Array or ArrayBuffer')
  const payload = parsePayload(body)
  const { id = payloadId(payload) ?? newId(), event = typeOf(payload), now = Date.now() } = input
  const signer = await importSigner(signerConfig(input))
  return await signDelivery(signer, { id, event, timestampSeconds: Math.floor(now / 1000), body })
}

/** A key pair for `v1a`: `secretKey` is for `sign`, `publicKey` for `verify`. */
export async function generateKeyPair(): Promise<{ secretKey: string; publicKey: string }> {
  return await generateEd25519()
}

function newId(): string {
  return `evt_${crypto.randomUUID().replaceAll('-', '')}`
}

function typeOf(payload: unknown): string {
  return isBatch(payload) ? 'batch' : (textMember(payload, ['event', 'type']) ?? 'test')
}

function signerConfig({ secret, profile = 'standard', custom, secretKey }: SignInput): SignerConfig {
  const [current, previousSecret = null]: readonly unknown[] = Array.isArray(secret) ? secret : [secret]
  if (!isText(current) || (previousSecret !== null && !isText(previousSecret))) {
    throw new TypeError('secret must be a text, or the new one and the old one')
  }
  if (profile !== 'custom' && !Object.hasOwn(PROFILES, profile)) {
    throw new TypeError(`profile must be custom, ${Object.keys(PROFILES).join(', ')}`)
  }
  return {
    profile,
    custom: profile === 'custom' ? schemeOf(custom) : null,
    secret: current,
    previousSecret,
    ed25519: secretKey === undefined ? null : { current: secretKey },
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

/** A subscription's `custom` with its defaults. */
function schemeOf(custom: CustomProfile | null | undefined): CustomScheme {
  const reader = customReader(custom)
  if (typeof reader !== 'function') throw new TypeError(reader.message)
  const { signature, timestampHeader, idHeader, eventHeader } = custom as CustomProfile
  return {
    signature: {
      header: signature.header,
      algorithm: signature.algorithm ?? 'sha256',
      encoding: signature.encoding ?? 'hex',
      content: signature.content ?? '{body}',
      value: signature.value ?? '{signature}',
      key: signature.key ?? 'text',
    },
    timestampHeader: timestampHeader ?? undefined,
    idHeader: idHeader ?? undefined,
    eventHeader: eventHeader ?? undefined,
  }
}
