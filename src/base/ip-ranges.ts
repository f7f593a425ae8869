import ipaddr from 'ipaddr.js'
import { remembered } from './remembered.ts'

type Address = ReturnType<typeof ipaddr.process>
type Range = { first: Address; bits: number }

/** Keys that are in use come from few addresses, and are asked for each of them at every call. */
const REMEMBERED_MAX = 1_000
const SAY = 'must be an IP address or a range such as 203.0.113.0/24 or 2001:db8::/32'

/** The fault of a text that is to be an address or a CIDR range; null where it has none. */
export function ipRangeProblem(text: string): string | null {
  const range = parseRange(text)
  if (range === null) return SAY
  const { first, bits } = range
  const whole = first.kind() === 'ipv4' ? 32 : 128
  if (bits > whole) return SAY
  const start = firstOf(range)
  // A range that begins elsewhere is a slip of the pen, and may be meant narrower than it would be.
  return sameAddress(start, first) ? null : `must begin at its first address: ${start.toString()}/${bits}`
}

/** True for an address inside one of the ranges; false for a text that is no address. */
export function isInIpRanges(text: string, ranges: readonly string[]): boolean {
  const address = parseAddress(text)
  return address !== null && ranges.some((each) => isIn(address, parseRange(each)))
}

/** True where every address of the inner range is in the outer one. */
export function containsIpRange(outer: string, inner: string): boolean {
  const [wide, narrow] = [parseRange(outer), parseRange(inner)]
  return wide !== null && narrow !== null && wide.bits <= narrow.bits && isIn(narrow.first, wide)
}

function isIn(address: Address, range: Range | null): boolean {
  return range !== null && range.first.kind() === address.kind() && address.match(range.first, range.bits)
}

/** Takes IPv4 in four decimal parts only: other notations are read differently by different programs. */
const parseAddress = remembered(REMEMBERED_MAX, (text): Address | null => {
  if (text.includes('%')) return null
  const isFine = text.includes(':') ? ipaddr.IPv6.isValid(text) : ipaddr.IPv4.isValidFourPartDecimal(text)
  return isFine ? ipaddr.process(text) : null
})

const parseRange = remembered(REMEMBERED_MAX, (text): Range | null => {
  const [address = '', bits, ...rest] = text.split('/')
  const first = parseAddress(address)
  if (first === null || rest.length > 0) return null
  if (bits === undefined) return { first, bits: first.kind() === 'ipv4' ? 32 : 128 }
  return /^(0|[1-9]\d{0,2})$/.test(bits) ? { first, bits: Number(bits) } : null
})

function firstOf({ first, bits }: Range): Address {
  const masked = first.toByteArray().map((byte, i) => {
    const kept = Math.min(8, Math.max(0, bits - i * 8))
    return byte & (0xff00 >> kept)
  })
  return ipaddr.fromByteArray(masked)
}

function sameAddress(one: Address, other: Address): boolean {
  return one.toString() === other.toString()
}
