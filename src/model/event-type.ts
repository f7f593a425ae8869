import * as z from 'zod'

/** Longest event type, in characters. */
const EVENT_TYPE_LENGTH_MAX = 128
const TYPE_GRAMMAR = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/
/** Types of the relay's own events begin with this; callers can neither publish nor describe such types. */
export const OPERATIONAL_PREFIX = 'posthorn.'
/** The event that only asks how a receiver is. */
export const PING_TYPE = 'posthorn.ping'

const GRAMMAR_HINT =
  'segments of A-Z a-z 0-9 _ - joined by dots, at most 128 characters, such as "invoice.paid"'

/** An event type such as `invoice.paid` or `entry_persisted`. */
export const eventTypeSchema = z
  .string()
  .max(EVENT_TYPE_LENGTH_MAX, `must be an event type: ${GRAMMAR_HINT}`)
  .regex(TYPE_GRAMMAR, `must be an event type: ${GRAMMAR_HINT}`)

/** Validates a pattern of a subscription: an exact type, `prefix.*` (any depth below) or `*`. */
export const eventPatternSchema = z
  .string()
  .max(EVENT_TYPE_LENGTH_MAX + 2)
  .refine(isEventPattern, `must be an event type, "prefix.*" or "*"; a type is ${GRAMMAR_HINT}`)

function isEventPattern(text: string): boolean {
  if (text === '*') return true
  const stem = text.endsWith('.*') ? text.slice(0, -2) : text
  return stem.length <= EVENT_TYPE_LENGTH_MAX && TYPE_GRAMMAR.test(stem)
}

/**
 * True when a pattern wants an event type. `*` wants all types but the relay's own `posthorn.*`,
 * which must be named.
 */
export function patternMatches(pattern: string, type: string): boolean {
  if (pattern === '*') return !type.startsWith(OPERATIONAL_PREFIX)
  if (pattern.endsWith('.*')) return type.startsWith(pattern.slice(0, -1))
  return pattern === type
}

const HINT = 'must be 1-64 characters without control characters, such as "v1" or "2026-11-01"'

/** `api_version` of events, workspaces and subscriptions: a label that receivers compare. */
export const apiVersionSchema = z
  .string(HINT)
  .min(1, HINT)
  .max(64, HINT)
  .refine((text) => text.isWellFormed() && !/\p{Cc}/u.test(text), HINT)
