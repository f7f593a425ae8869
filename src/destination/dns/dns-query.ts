import * as z from 'zod'
import { parseJsonOrNull } from '../../base/json/value.ts'
import { readCapped } from '../../base/read-capped.ts'

/** Types of records that hold addresses. */
const RECORD_TYPES = { A: 1, AAAA: 28 } as const
export type AddressRecord = keyof typeof RECORD_TYPES

/** Codes of answers (RFC 1035 section 4.1.1); all others are a failure of the server. */
const NO_ERROR = 0
const NO_SUCH_NAME = 3

/** Bytes of an answer that are read at all. */
const ANSWER_BYTES_MAX = 65_536
const RECORDS_MAX = 200

const answerSchema = z.object({
  Status: z.int(),
  TC: z.boolean().optional(),
  Answer: z
    .array(z.object({ type: z.int(), TTL: z.number().min(0).optional(), data: z.string() }))
    .max(RECORDS_MAX)
    .optional(),
})

/** One kind of addresses of a host, none of them for one that has none; `message` says what the server did. */
export type DnsAnswer = { ok: true; addresses: string[]; ttlSeconds: number } | { ok: false; message: string }

export type DnsQuery = { server: string; host: string; record: AddressRecord }

/**
 * Asks a server of DNS over HTTPS for addresses, by GET and in the JSON form of Cloudflare and Google. Follows no
 * redirect and bounds the answer; its time is the caller's `signal`. Rejects when the server cannot be reached.
 */
export async function queryDns(
  { fetch, userAgent }: { fetch: typeof globalThis.fetch; userAgent: string },
  { server, host, record }: DnsQuery,
  signal: AbortSignal,
): Promise<DnsAnswer> {
  const url = new URL(server)
  url.searchParams.set('name', host)
  url.searchParams.set('type', record)
  const response = await fetch(url.href, {
    headers: { Accept: 'application/dns-json', 'User-Agent': userAgent },
    redirect: 'manual',
    signal,
  })
  if (response.status !== 200) {
    await response.body?.cancel()
    return { ok: false, message: `answered ${response.status}` }
  }
  const { text, isWhole } =
    response.body === null
      ? { text: '', isWhole: true }
      : await readCapped(response.body, { bytesMax: ANSWER_BYTES_MAX })
  return isWhole
    ? readAnswer(text, record)
    : { ok: false, message: `answered with more than ${ANSWER_BYTES_MAX / 1024} KB` }
}

function readAnswer(text: string, record: AddressRecord): DnsAnswer {
  const { success, data } = answerSchema.safeParse(parseJsonOrNull(text))
  if (!success) return { ok: false, message: 'answered with something else than DNS in JSON' }
  const { Status, TC = false, Answer = [] } = data
  if (TC) return { ok: false, message: 'answered with a part of the records only' }
  if (Status !== NO_ERROR && Status !== NO_SUCH_NAME)
    return { ok: false, message: `answered with code ${Status}` }
  const addresses = Answer.flatMap(({ type, data }) => (type === RECORD_TYPES[record] ? [data] : []))
  // Aliases on the way may change sooner than the addresses that they lead to.
  const ttlSeconds = Math.min(...Answer.map(({ TTL = 0 }) => TTL))
  return { ok: true, addresses, ttlSeconds: Answer.length === 0 ? 0 : ttlSeconds }
}
