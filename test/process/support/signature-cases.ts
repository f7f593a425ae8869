import type { Profile } from '../../../src/shape/profile.ts'
import type { Check } from './seed-receivers.ts'

/** A subscription under test; `path` is its receiver's. `old` is there during a rotation. */
export type Subject = {
  id: string
  path: string
  profile: Profile
  secret: string
  old: string | null
  publicKeys: string[]
}

/** Whose code checks deliveries: the header it reads, and whether it knows of the same name with -Next. */
export type Reader = { header: string; readsNext?: boolean }

/** A delivery, or a changed one, and whether its receiver is to believe it. */
export type SignatureCase = { check: Check; expected: boolean; what: string }

/** What one delivery must be believed as, and what it must not be taken for. */
export function signatureCases(
  subject: Subject,
  delivery: Omit<Check, 'secret'>,
  reader: Reader,
): SignatureCase[] {
  return secretCases(subject, delivery, reader).flatMap((each) =>
    each.expected ? [each, ...changed(each, reader)] : [each],
  )
}

/** During a rotation the old secret counts and so does the new one: in the same header, or the same name and -Next. */
function secretCases(
  { secret, old, path }: Subject,
  { headers, body }: Omit<Check, 'secret'>,
  { header, readsNext = false }: Reader,
): SignatureCase[] {
  const by = (under: string, expected: boolean, who: string, received = headers): SignatureCase => {
    const what = `${path} ${body.subarray(0, 60)} under ${who}`
    return { check: { body, headers: received, secret: under }, expected, what }
  }
  const another = by('another-secret', false, 'another secret')
  if (old === null) return [by(secret, true, 'its secret'), another]
  const { [`${header}-next`]: next, ...others } = headers
  if (next === undefined)
    return [by(old, true, 'the old secret'), by(secret, true, 'the new secret'), another]
  const moved = { ...others, [header]: next }
  return [
    by(old, true, 'the old secret'),
    by(secret, readsNext, 'the new secret'),
    by(secret, true, 'the new secret, in -Next', moved),
    by(old, false, 'the old secret, in -Next', moved),
    another,
  ]
}

function changed({ check, what }: SignatureCase, { header }: Reader): SignatureCase[] {
  const others = Object.entries(check.headers).map(([name, value]) =>
    name.startsWith(header) ? [name, withOtherDigits(value)] : [name, value],
  )
  const headers = Object.fromEntries(others) as Record<string, string>
  return [
    { check: { ...check, body: withFlippedBit(check.body) }, what: `${what}, a bit of its body flipped` },
    { check: { ...check, headers }, what: `${what}, its signature changed` },
  ].map((each) => ({ ...each, expected: false }))
}

/** Flips the lowest bit of a character of the payload, so that the body stays text. */
export function withFlippedBit(body: Buffer): Buffer {
  const flipped = Buffer.from(body)
  const at = flipped.indexOf('"data"') + 1
  flipped[at] = (flipped[at] ?? 0) ^ 1
  return flipped
}

/** Changes a digit in the middle of each signature, hex or base64. */
function withOtherDigits(signatures: string): string {
  return signatures.replace(/[A-Za-z0-9+/]{27,}/g, (digits) => {
    return `${digits.slice(0, 20)}${digits[20] === '0' ? '1' : '0'}${digits.slice(21)}`
  })
}
