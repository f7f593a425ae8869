import { authUrls, type DestinationAuth } from '../../destination/auth.ts'
import { type AddressFault, findAddressFault } from '../../destination/dns/check-addresses.ts'
import type { DestinationRules } from '../../destination/url.ts'
import { fixedUrl } from '../../destination/url-template.ts'
import type { Problem } from '../../model/errors.ts'

/** Fields that cannot be accepted, each with what would be right. */
export type Invalid = {
  kind: 'invalid'
  problems: Problem[]
  /** The relay could not find out just now: the same may be accepted later. */
  isTemporary?: boolean
}

/** What is to be looked up, where it is given or changed; the URLs themselves have been checked. */
export type Named = {
  url: string | undefined
  destinationIps: readonly string[] | null
  auth: DestinationAuth | null
}

/** Finds hosts whose addresses are not allowed, or cannot be asked for. Null where there is nothing to refuse. */
export async function findAddressProblems(
  rules: DestinationRules,
  { url, destinationIps, auth }: Named,
): Promise<Invalid | null> {
  const urls = [
    ...(url === undefined ? [] : [{ url: fixedUrl(url), ips: destinationIps, tokenPath: null }]),
    ...(auth === null
      ? []
      : authUrls(auth).map((each) => ({ url: each.url, ips: null, tokenPath: each.path }))),
  ]
  for (const { url, ips, tokenPath } of urls) {
    const fault = await findAddressFault(rules, url, ips)
    if (fault === null || isHarmless(fault, ips)) continue
    const { kind, path, message } = fault
    if (kind === 'unknown' && !rules.resolver) return { kind: 'invalid', problems: [NO_RESOLVER] }
    const problems = [{ path: tokenPath ?? path, message }]
    return kind === 'unknown'
      ? { kind: 'invalid', problems, isTemporary: true }
      : { kind: 'invalid', problems }
  }
  return null
}

/** A host without an address may be meant to get one; where its addresses are to be certain ones, it must have them. */
function isHarmless({ kind }: AddressFault, ips: readonly string[] | null): boolean {
  return kind === 'none' && ips === null
}

const NO_RESOLVER: Problem = {
  path: 'destinationIps',
  message: 'needs DNS over HTTPS, which the operator of this relay has not set up (DNS_OVER_HTTPS_URL)',
}
