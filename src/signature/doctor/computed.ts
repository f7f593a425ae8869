import { base64Bytes, base64UrlBytes } from '../../base/bytes.ts'
import { type Claim, concat } from '../verify/claim.ts'
import { bodiesBehind } from './bodies.ts'
import type { Cause } from './causes.ts'
import { type Examined, type Found, type Scheme, unproven } from './examined.ts'
import type { SignatureSearch, TrialKeys } from './search.ts'
import { keysBehind } from './secrets.ts'

type Computed = { scheme: Scheme; examined: Examined; claim: Claim }
type Content = { cause: Cause | null; claim: Claim }

/** Finds the mistake by which a receiver arrives at the signature that it has computed; null where it tells of none. */
export async function explainComputed(search: SignatureSearch, computed: Computed): Promise<Found | null> {
  if (computed.examined.computed === null) return null
  const signature = signatureIn(computed.examined.computed)
  const found = signature === null ? null : await findMistake(search, computed, signature)
  return found ?? unproven('unknown', UNEXPLAINED)
}

const UNEXPLAINED =
  'the request is genuine, and no usual mistake leads to the signature that the receiver has computed'

async function findMistake(
  search: SignatureSearch,
  computed: Computed,
  signature: Uint8Array,
): Promise<Found | null> {
  for (const content of contentsOf(computed)) {
    const claim = { ...content.claim, hmac: [signature], ed25519: [] }
    for (const { cause, key } of keysOf(computed)) {
      if (!(await search.matches(claim, key))) continue
      const found = content.cause ?? cause ?? 'comparison'
      return { cause: found, isProven: true, message: `The receiver has computed ${WORDS[found] ?? OTHER}.` }
    }
    if (search.isSpent) return null
  }
  return null
}

const OTHER = 'its signature with another key than the one that this secret stands for'
const WORDS: Partial<Record<Cause, string>> = {
  comparison: 'the right signature',
  body_only: 'the signature of the body alone',
  no_timestamp: 'the signature of the id and the body, without the timestamp',
  body_blank: 'its signature over a body with another end',
  body_printed: 'its signature over the body as JSON that was parsed and printed again',
  body_charset: 'its signature over the body in another encoding',
}

/** What may have been signed: as it should be, of other parts, and over other printings of the body. */
function* contentsOf({ scheme, examined, claim }: Computed): Generator<Content> {
  const { body, headers } = examined
  const { id } = claim
  yield { cause: null, claim }
  if (claim.content.length > body.length) {
    yield { cause: 'body_only', claim: { ...claim, content: body } }
    if (id !== null) yield { cause: 'no_timestamp', claim: { ...claim, content: concat([`${id}.`, body]) } }
  }
  for (const trial of bodiesBehind(body)) {
    const other = scheme.read(headers, trial.body)
    if (other.ok) yield { cause: trial.cause, claim: other }
  }
}

function* keysOf({ examined, claim }: Computed): Generator<{ cause: Cause | null; key: TrialKeys }> {
  const { secrets } = examined.keys
  yield { cause: null, key: { secrets, publicKeys: [] } }
  for (const secret of secrets) yield* keysBehind(secret, claim.keyBytes)
}

/** The bytes of a signature in hex or base64, with or without what stands before it in its header. */
function signatureIn(text: string | null): Uint8Array | null {
  const bare = text?.trim().replace(/^(?:v1,|v1=|sha\d+=)/, '') ?? ''
  if (/^(?:[0-9a-f]{2}){20,64}$/i.test(bare))
    return Uint8Array.from({ length: bare.length / 2 }, (_, at) =>
      Number.parseInt(bare.slice(at * 2, at * 2 + 2), 16),
    )
  const bytes = base64Bytes(bare) ?? base64UrlBytes(bare)
  return bytes !== null && bytes.length >= 20 ? bytes : null
}
