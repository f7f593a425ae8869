import { isRecord } from '../base/json/value.ts'
import { type EventView, lookUpOnce, namesOf, type Payer } from '../model/event-view.ts'

/** Longest ordering key, in characters; a longer text is cut and distinguished by a hash. */
export const ORDER_KEY_CHARS_MAX = 256
const CUT_CHARS = 200
/** Most steps of finding and writing a key; no value that tells events apart is so large. */
export const ORDER_KEY_STEPS_MAX = 10_000
/** Characters that are written in one step. */
const WRITTEN_PER_STEP = 16

/** Lets a walk be made, and counts its steps. */
export type PayFor = (walk: (payer: Payer) => string) => string

/** Pays for one key where no request has to. */
const ALONE: PayFor = (walk) => walk(new KeySteps())

/**
 * The key of an event for ordering: events of one key keep their order. It is the JSON of the value
 * under the path, or of the list of values where the path crosses arrays; empty without either, and
 * for a value that takes too many steps. Long texts with one hash share a key, which makes events
 * wait needlessly and loses no order.
 */
export function orderKeyOf(view: EventView, path: string | null, payFor = ALONE): string {
  if (path === null) return ''
  return payFor((payer) => {
    const found = lookUpOnce(view, path, namesOf(path), payer)
    if (found === null || found.length === 0) return ''
    const json = sortedJson(found.length === 1 ? found[0] : found, payer)
    return json === null ? '' : bounded(json)
  })
}

/**
 * Writes JSON with sorted names; null when steps run out. Not a sorted copy: that would lose a member
 * named `__proto__`, and put names of digits first.
 */
function sortedJson(value: unknown, payer: Payer): string | null {
  if (typeof value === 'string' && !payer.spend(value.length / WRITTEN_PER_STEP)) return null
  if (Array.isArray(value)) {
    const elements = payer.spend(value.length) ? eachJson(value, payer, (element) => element) : null
    return elements === null ? null : `[${elements.join(',')}]`
  }
  if (!isRecord(value)) return JSON.stringify(value) ?? 'null'
  // Names cannot be counted before they are listed: one object may overdraw the budget once.
  const names = Object.keys(value)
  if (!payer.spend(names.reduce((sum, name) => sum + 2 + name.length / WRITTEN_PER_STEP, 0))) return null
  names.sort()
  const members = eachJson(names, payer, (name) => value[name])
  if (members === null) return null
  return `{${names.map((name, at) => `${JSON.stringify(name)}:${members[at]}`).join(',')}}`
}

function eachJson<T>(list: readonly T[], payer: Payer, read: (each: T) => unknown): string[] | null {
  const texts: string[] = []
  for (const each of list) {
    const text = sortedJson(read(each), payer)
    if (text === null) return null
    texts.push(text)
  }
  return texts
}

class KeySteps implements Payer {
  affordable = ORDER_KEY_STEPS_MAX

  spend(steps: number): boolean {
    this.affordable -= steps
    return this.affordable >= 0
  }

  spendAgain(steps: number): boolean {
    return this.spend(steps)
  }
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
