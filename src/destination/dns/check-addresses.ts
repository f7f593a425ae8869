import * as z from 'zod'
import { ipRangeProblem, isInIpRanges } from '../../base/ip-ranges.ts'
import { isIpAddress, isPublicAddress } from '../../base/public-address.ts'
import { isListenerAddress } from '../listener-address.ts'
import type { DestinationRules } from '../url.ts'
import type { Lookup } from './resolver.ts'

const RANGES_MAX = 50
const RANGES = `must hold 1-${RANGES_MAX} addresses or ranges, or be null for any`

const ipRangeSchema = z.string().superRefine((text, context) => {
  const message = ipRangeProblem(text)
  if (message !== null) context.addIssue({ code: 'custom', message })
})

/** Where the addresses of a subscription's host must lie, as addresses or in CIDR notation. */
export const destinationIpsSchema = z.array(ipRangeSchema).min(1, RANGES).max(RANGES_MAX, RANGES)

/**
 * Why a host may not be called: it has an address that is not allowed (`path` names the setting that forbids it), none
 * at all, or they could not be asked for, which is a failure of the relay's own.
 */
export type AddressFault = {
  kind: 'not_allowed' | 'none' | 'unknown'
  path: 'url' | 'destinationIps'
  message: string
}

/**
 * Checks the addresses that the host of a URL has now: public ones, as far as there is a server to ask, and within
 * `destinationIps`. Null for one that may be called. The URL itself has been checked.
 */
export async function findAddressFault(
  { allowPrivate, resolver = null }: DestinationRules,
  url: string,
  destinationIps: readonly string[] | null,
): Promise<AddressFault | null> {
  const mustBePublic = resolver !== null && !allowPrivate
  if ((destinationIps === null && !mustBePublic) || isListenerAddress(url)) return null
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '')
  const lookup = isIpAddress(host)
    ? { kind: 'found' as const, addresses: [host] }
    : await lookUp(resolver, host)
  switch (lookup.kind) {
    case 'failed':
      return { kind: 'unknown', path: 'url', message: `cannot be checked: ${lookup.message}` }
    case 'none':
      return { kind: 'none', path: 'url', message: `must name a host that has an address: ${host} has none` }
    case 'found':
      return faultOf(host, lookup.addresses, { mustBePublic, destinationIps })
  }
}

async function lookUp(resolver: DestinationRules['resolver'], host: string): Promise<Lookup> {
  if (resolver) return await resolver.lookUp(host)
  return { kind: 'failed', message: 'this relay has no DNS server to ask, which "destinationIps" needs' }
}

function faultOf(
  host: string,
  addresses: readonly string[],
  { mustBePublic, destinationIps }: { mustBePublic: boolean; destinationIps: readonly string[] | null },
): AddressFault | null {
  const inner = mustBePublic ? addresses.find((address) => !isPublicAddress(address)) : undefined
  if (inner !== undefined) {
    const message = `must name a host whose addresses are all public: ${host} has ${inner}`
    return { kind: 'not_allowed', path: 'url', message }
  }
  const outer = addresses.find((address) => destinationIps !== null && !isInIpRanges(address, destinationIps))
  if (outer === undefined) return null
  const message = `must hold every address of ${host}, which has ${outer}`
  return { kind: 'not_allowed', path: 'destinationIps', message }
}
