import type { Refusal } from '../verify/result.ts'
import { PROFILES, type ProfileName } from '../verify/schemes.ts'
import type { Cause } from './causes.ts'
import { type Examined, type Found, isThere, type Scheme, unproven } from './examined.ts'
import { headersBehind } from './headers.ts'
import type { SignatureSearch } from './search.ts'

type Unreadable = { search: SignatureSearch; scheme: Scheme; examined: Examined; refusal: Refusal }

const CHANGED: Partial<Record<Cause, string>> = {
  header_renamed:
    'The headers have other names than the relay gives them; under those the signature matches.',
  header_changed: 'The header has been changed; in its own form the signature matches.',
}

/** Finds out why a request has no signature of its profile that could be read. */
export async function explainHeaders({ search, scheme, examined, refusal }: Unreadable): Promise<Found> {
  const changed = await findChanged(search, scheme, examined)
  if (changed !== null) return changed
  if (refusal.reason !== 'missing_header') return unproven('malformed_header', refusal.message)
  const other = await findOtherProfile(search, scheme, examined)
  return other ?? unproven('missing_header', refusal.message)
}

const RENAMED =
  'the headers have other names than the relay gives them; under those the signature still does not match'

async function findChanged(
  search: SignatureSearch,
  { read }: Scheme,
  { headers: given, body, keys }: Examined,
): Promise<Found | null> {
  let readable: Found | null = null
  for (const { cause, headers } of headersBehind(given)) {
    const claim = read(headers, body)
    if (!claim.ok) continue
    if (await search.matches(claim, keys)) return { cause, isProven: true, message: CHANGED[cause] ?? '' }
    if (cause === 'header_renamed') readable ??= unproven(cause, RENAMED)
  }
  return readable
}

async function findOtherProfile(
  search: SignatureSearch,
  scheme: Scheme,
  { headers, body, keys }: Examined,
): Promise<Found | null> {
  const names = (Object.keys(PROFILES) as ProfileName[]).filter((name) => PROFILES[name] !== scheme.read)
  const there = names.filter((name) => isThere(PROFILES[name], headers, body))
  for (const name of there) {
    const claim = PROFILES[name](headers, body)
    if (!claim.ok || !(await search.matches(claim, keys))) continue
    // A standard delivery has this header too, and has lost the others on the way.
    const cause = scheme.profile === 'standard' && name === 'bigledger' ? 'missing_header' : 'other_profile'
    const message = `The request has no signature of the profile "${scheme.profile}", and a genuine one of "${name}".`
    return { cause, isProven: true, message }
  }
  const [name] = there
  if (name === undefined) return null
  return unproven(
    'other_profile',
    `the request has no signature of the profile "${scheme.profile}", but the header of "${name}"`,
  )
}
