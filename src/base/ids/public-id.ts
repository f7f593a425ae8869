import { SEQ_MAX } from './seq.ts'

/**
 * The numbers in a generated id. One letter names the database, so that ids outlive layouts; two
 * numbers and a check follow, scrambled so that they do not invite reading. That is no protection:
 * every look-up asks for the workspace as well.
 */
type PublicId = { owner: number; seq: number }

const LOG_DATABASE = '0'
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const OWNER_MAX = 2 ** 32 - 1
const DIGITS = 17
const LOW_BITS = 2 ** 32
const ROUND_KEYS = [0x9e3779b1, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f] as const

/** The kind of thing an id names: an event, a delivery or a batch. */
type IdPrefix = 'evt_' | 'log_' | 'batch_'

/**
 * Renders an id. The owner is the workspace of an event, the subscription of a delivery or a batch.
 */
export function encodePublicId(prefix: IdPrefix, { owner, seq }: PublicId): string {
  const high = Math.floor(seq / LOW_BITS)
  const [left, right] = scramble(owner >>> 0, (seq % LOW_BITS) >>> 0, high)
  return `${prefix}${LOG_DATABASE}${digits(left, 7)}${digits(right, 7)}${digits(high, 3)}${check(left, right, high)}`
}

/** Reads a generated id back; null for any text this relay did not generate. */
export function decodePublicId(prefix: IdPrefix, id: string): PublicId | null {
  if (id.length !== prefix.length + 1 + DIGITS + 1 || !id.startsWith(prefix + LOG_DATABASE)) return null
  const text = id.slice(prefix.length + 1)
  const left = number(text.slice(0, 7))
  const right = number(text.slice(7, 14))
  const high = number(text.slice(14, 17))
  if (left === null || right === null || high === null) return null
  if (left > OWNER_MAX || right > OWNER_MAX || high * LOW_BITS > SEQ_MAX) return null
  if (text[17] !== check(left, right, high)) return null
  const [owner, low] = unscramble(left, right, high)
  return { owner, seq: high * LOW_BITS + low }
}

function scramble(left: number, right: number, tweak: number): [number, number] {
  let [l, r] = [left, right]
  for (const key of ROUND_KEYS) [l, r] = [r, (l ^ mix(r, key ^ tweak)) >>> 0]
  return [l, r]
}

function unscramble(left: number, right: number, tweak: number): [number, number] {
  let [l, r] = [left, right]
  for (const key of [...ROUND_KEYS].reverse()) [l, r] = [(r ^ mix(l, key ^ tweak)) >>> 0, l]
  return [l, r]
}

function mix(value: number, key: number): number {
  let h = Math.imul(value ^ key, 0x2c1b3c6d)
  h = Math.imul(h ^ (h >>> 15), 0x297a2d39)
  return (h ^ (h >>> 13)) >>> 0
}

function check(left: number, right: number, high: number): string {
  return ALPHABET[mix(left ^ high, right) % ALPHABET.length] ?? '0'
}

function digits(value: number, width: number): string {
  let text = ''
  for (let rest = value, i = 0; i < width; i++) {
    text = ALPHABET.charAt(rest % 32) + text
    rest = Math.floor(rest / 32)
  }
  return text
}

function number(text: string): number | null {
  let value = 0
  for (const character of text) {
    const digit = ALPHABET.indexOf(character)
    if (digit === -1) return null
    value = value * 32 + digit
  }
  return value
}
