import type { Post, Receiver, Rig } from './builders.ts'

/** The server of DNS over HTTPS that a rig is told to ask. */
export const DNS_SERVER = 'https://dns.example.net/dns-query'

const TYPES = { A: 1, AAAA: 28 } as const
type Record = keyof typeof TYPES

/** Where a rig asks for one kind of a host's addresses. */
function questionUrl(host: string, record: Record): string {
  return `${DNS_SERVER}?name=${host}&type=${record}`
}

/** An answer in the JSON form of Cloudflare and Google. */
export function dnsAnswer(record: Record, addresses: readonly string[], ttl: number, status = 0): Receiver {
  const Answer = addresses.map((data) => ({ name: 'x', type: TYPES[record], TTL: ttl, data }))
  return () => Response.json({ Status: status, TC: false, ...(Answer.length > 0 && { Answer }) })
}

/** Gives a host its addresses, in place of those it had. */
export function setAddresses(rig: Rig, host: string, addresses: readonly string[], ttl = 300): void {
  const isIpv6 = (address: string) => address.includes(':')
  const ofA = addresses.filter((address) => !isIpv6(address))
  rig.receivers.set(questionUrl(host, 'A'), dnsAnswer('A', ofA, ttl))
  rig.receivers.set(questionUrl(host, 'AAAA'), dnsAnswer('AAAA', addresses.filter(isIpv6), ttl))
}

/** Has both questions about a host answered in the same way. */
export function setDnsAnswer(rig: Rig, host: string, receiver: Receiver): void {
  for (const record of ['A', 'AAAA'] as const) rig.receivers.set(questionUrl(host, record), receiver)
}

/** The requests of a rig that were no questions. */
export function sentPosts({ posts }: Pick<Rig, 'posts'>): Post[] {
  return posts.filter(({ url }) => !url.startsWith(DNS_SERVER))
}

/** How often a rig has asked for a host. */
export function questionsAbout({ posts }: Pick<Rig, 'posts'>, host: string): number {
  return posts.filter(({ url }) => url === questionUrl(host, 'A')).length
}
