import { isRecord } from '../base/json/value.ts'
import { type EventView, lookUpOnce, namesOf } from '../model/event-view.ts'

/** Longest ordering key, in characters; a longer text is cut and distinguished by a hash. */
export const ORDER_KEY_CHARS_MAX = 256
const CUT_CHARS = 200

/**
 * The key of an event for ordering: events of one key keep their order. It is the JSON of the value
 * under the path, or of the list of values where the path crosses arrays; empty without either. Long
 * texts with one hash share a key, which makes events wait needlessly and loses no order.
 */
export function orderKeyOf(view: EventView, path: string | null): string {
  if (path === null) return ''
  const found = lookUpOnce(view, path, namesOf(path))
  if (found.length === 0) return ''
  return bounded(sortedJson(found.length === 1 ? found[0] : found))
}

/** Not a sorted copy: that would lose a member named `__proto__`, and put names of digits first. */
function sortedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`
  if (!isRecord(value)) return JSON.stringify(value) ?? 'null'
  const names = Object.keys(value).sort()
  return `{${names.map((name) => `${JSON.stringify(name)}:${sortedJson(value[name])}`).join(',')}}`
}

function bounded(text: string): string {
  if (text.length <= ORDER_KEY_CHARS_MAX) return text
  // Half of a surrogate pair would not come back from the database as it was written.
  const end = isHighSurrogate(text.charCodeAt(CUT_CHARS - 1)) ? CUT_CHARS - 1 : CUT_CHARS
  return `${text.slice(0, end)}#${hash64(text)}`
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff
}

/** 64 bits in hexadecimal: two FNV-1a hashes, each mixed at the end as MurmurHash3 does. */
function hash64(text: string): string {
  let one = 0x811c9dc5
  let two = 0x9747b28c
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    one = Math.imul(one ^ code, 0x01000193)
    two = Math.imul(two ^ code, 0x85ebca6b)
    // Products carry upwards only: without this the lower bits would depend on lower bits alone.
    two ^= two >>> 15
  }
  return hex(finish(one ^ text.length)) + hex(finish(two))
}

function finish(value: number): number {
  let h = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0')
}
