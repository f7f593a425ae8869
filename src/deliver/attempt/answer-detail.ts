import { writeAttemptDetail } from '../../model/attempt-detail.ts'
import type { ResponseHead } from './http/post.ts'
import type { Answer } from './send.ts'

/** Headers that tell of a success all there is to know; millions of these are kept. */
const OF_SUCCESS = ['content-type', 'server', 'x-request-id']
const OF_SUCCESS_CHARS_MAX = 160
/** Of a failure all are kept, as far as they fit. */
const OF_FAILURE_CHARS_MAX = 2_000
const VALUE_CHARS_MAX = 300
/** Session tokens of the receiver. */
const WITHHELD = ['set-cookie', 'set-cookie2', 'authorization', 'proxy-authorization']

/** The part of an answer that is kept beside its text; null where no request was made. */
export function detailOf(
  { head, payload }: Pick<Answer, 'head' | 'payload'>,
  { version, isShort }: { version: number; isShort: boolean },
): string | null {
  if (payload === null) return null
  if (head === null) return writeAttemptDetail({ version, firstByteMs: null, status: null, headers: [] })
  const { firstByteMs, status } = head
  return writeAttemptDetail({ version, firstByteMs, status, headers: keptHeaders(head, isShort) })
}

function keptHeaders(head: ResponseHead, isShort: boolean): [string, string][] {
  const charsMax = isShort ? OF_SUCCESS_CHARS_MAX : OF_FAILURE_CHARS_MAX
  const kept: [string, string][] = []
  let chars = 0
  for (const [name, value] of isShort ? namedHeaders(head) : head.headers) {
    if (WITHHELD.includes(name)) continue
    const shown = shownValue(head, value)
    if (chars + name.length + shown.length > charsMax) continue
    chars += name.length + shown.length
    kept.push([name, shown])
  }
  return kept
}

function namedHeaders({ headers }: ResponseHead): [string, string][] {
  return OF_SUCCESS.flatMap((name): [string, string][] => {
    const value = headers.get(name)
    return value === null ? [] : [[name, value]]
  })
}

/** A receiver may answer with the credentials that it was sent. */
function shownValue({ redact }: ResponseHead, value: string): string {
  return (redact === null ? value : redact(value)).slice(0, VALUE_CHARS_MAX).toWellFormed()
}
