import ipaddr from 'ipaddr.js'

/** Ranges of special use (RFC 6890) beside those that the library names. */
const SET_ASIDE = ['192.88.99.0/24', '3fff::/20', '5f00::/16', '2001::/23', '::/96', '64:ff9b:1::/48'].map(
  (text) => ipaddr.parseCIDR(text),
)

/**
 * True for an address of the public internet. One that carries an IPv4 address inside (mapped, NAT64, 6to4, Teredo) is
 * not: the way it takes is decided by others.
 */
export function isPublicAddress(text: string): boolean {
  if (!isIpAddress(text)) return false
  const address = ipaddr.parse(text)
  return address.range() === 'unicast' && !SET_ASIDE.some((range) => isIn(address, range))
}

/** True for an IPv6 address without a zone, or an IPv4 one in four decimal parts. */
export function isIpAddress(text: string): boolean {
  if (text.includes('%')) return false
  return text.includes(':') ? ipaddr.IPv6.isValid(text) : ipaddr.IPv4.isValidFourPartDecimal(text)
}

type Address = ReturnType<typeof ipaddr.parse>

function isIn(address: Address, [first, bits]: [Address, number]): boolean {
  return address.kind() === first.kind() && address.match(first, bits)
}
