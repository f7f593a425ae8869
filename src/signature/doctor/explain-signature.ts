import type { Claim } from '../verify/claim.ts'
import { PROFILES } from '../verify/schemes.ts'
import { bodiesBehind, suspectBody } from './bodies.ts'
import type { Cause } from './causes.ts'
import { type Examined, type Found, type Scheme, unproven } from './examined.ts'
import type { SignatureSearch } from './search.ts'
import { keysBehind, suspectSecret } from './secrets.ts'

type Unmatched = { search: SignatureSearch; scheme: Scheme; examined: Examined; claim: Claim }

const SAYINGS: Partial<Record<Cause, string>> = {
  other_attempt:
    'X-Signature matches, so that the secret and the body are right: webhook-id or webhook-timestamp is not what was signed.',
  previous_secret:
    'One side has the secret from before the last rotation: the signature matches the other one of this subscription.',
  other_secret: 'The signature was made with the secret of the subscription, which is not the one given.',
  other_subscription: 'The signature was made with the secret of another subscription of this workspace.',
  body_blank:
    'The signature matches once blanks or line breaks at the end of the body are as they were sent.',
  body_printed:
    'The signature matches another printing of the same JSON: the body was parsed and printed again.',
  body_charset: 'The signature matches the body in another encoding.',
  body_base64: 'The signature matches the body once it is decoded from base64.',
  body_quoted: 'The signature matches the text within this JSON string.',
}

/** Finds out why no signature of a request matches, by undoing one mistake after the other. */
export async function explainSignature(unmatched: Unmatched): Promise<Found> {
  return (
    (await findKey(unmatched)) ??
    (await findOtherAttempt(unmatched)) ??
    (await findOtherKeys(unmatched)) ??
    (await findBody(unmatched)) ??
    suspect(unmatched)
  )
}

async function findKey({ search, examined, claim }: Unmatched): Promise<Found | null> {
  for (const secret of examined.keys.secrets) {
    for (const { cause, key } of keysBehind(secret, claim.keyBytes)) {
      if (await search.matches(claim, key)) return proven(cause)
    }
  }
  return null
}

/** A standard delivery is signed twice: what signs the body alone tells if the rest is at fault. */
async function findOtherAttempt({ search, scheme, examined }: Unmatched): Promise<Found | null> {
  const { headers, body, keys } = examined
  const claim = scheme.profile === 'standard' ? PROFILES.bigledger(headers, body) : null
  return claim?.ok && (await search.matches(claim, keys)) ? proven('other_attempt') : null
}

async function findOtherKeys({ search, examined, claim }: Unmatched): Promise<Found | null> {
  for await (const { cause, holder, ...keys } of examined.others()) {
    if (await search.matches(claim, keys)) return { ...proven(cause), holder }
    if (search.isHalfSpent) return null
  }
  return null
}

async function findBody({ search, scheme, examined }: Unmatched): Promise<Found | null> {
  const { headers, body: received, keys } = examined
  if (keys.secrets.length + keys.publicKeys.length === 0) return null
  for (const { cause, body } of bodiesBehind(received)) {
    search.made(body.length)
    const claim = scheme.read(headers, body)
    if (claim.ok && (await search.matches(claim, keys))) return proven(cause)
    if (search.isSpent) return null
  }
  return null
}

/** Nothing that was tried has matched: what the secret and the body look like. */
function suspect({ examined: { keys, body }, claim }: Unmatched): Found {
  if (keys.secrets.length + keys.publicKeys.length === 0)
    return unproven('secret_missing', 'no secret was given')
  for (const secret of keys.secrets) {
    const cause = suspectSecret(secret, claim.keyBytes)
    if (cause !== null) return unproven(cause, 'the secret is not the base64 of a key')
  }
  const cause = suspectBody(body)
  const looks =
    cause === null
      ? 'no signature matches, and no usual mistake explains it'
      : `no signature matches, and the body looks ${LOOKS[cause] ?? 'changed'}`
  return unproven(cause ?? 'unknown', looks)
}

const LOOKS: Partial<Record<Cause, string>> = {
  body_empty: 'empty',
  body_charset: 'decoded: it holds the character that stands for bytes that are no text',
  body_printed: 'printed again, in a way that cannot be undone',
  body_cut: 'cut: it begins as JSON and does not end as such',
}

const KEY_SAYING = 'The signature matches a key that is not the one this secret stands for as it was given.'

function proven(cause: Cause): Found {
  return { cause, isProven: true, message: SAYINGS[cause] ?? KEY_SAYING }
}
