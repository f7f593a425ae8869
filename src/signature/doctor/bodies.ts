import { base64Bytes } from '../../base/bytes.ts'
import type { Cause } from './causes.ts'
import { jsonTokens } from './json-tokens.ts'
import { printingsOf } from './printings.ts'

/** A body that may be the one that was signed, and what has become of it on the way. */
export type BodyTrial = { cause: Cause; body: Uint8Array }

const encoder = new TextEncoder()
const BLANK_AT_END = /[ \t\r\n]+$/
const BLANK_AT_START = /^[ \t\r\n]+/

/** Bodies from which the received one may have come, the cheapest and likeliest first. */
export function* bodiesBehind(body: Uint8Array): Generator<BodyTrial> {
  const text = utf8(body)
  if (text === null) return
  for (const other of blanks(text)) yield { cause: 'body_blank', body: encoder.encode(other) }
  const quoted = unquoted(text)
  if (quoted !== null) yield { cause: 'body_quoted', body: encoder.encode(quoted) }
  const decoded = base64Bytes(text.trim())
  if (decoded !== null && decoded.length > 0) yield { cause: 'body_base64', body: decoded }
  yield* charsets(text)
  for (const printed of printingsOf(text)) yield { cause: 'body_printed', body: encoder.encode(printed) }
}

/** What the body itself tells, where nothing that was tried has matched; null for nothing. */
export function suspectBody(body: Uint8Array): Cause | null {
  const text = utf8(body)
  if (body.length === 0) return 'body_empty'
  if (text === null) return null
  if (text.includes('\ufffd')) return 'body_charset'
  if (text.startsWith('[object ') || /^\{\s*'/.test(text)) return 'body_printed'
  if (!/^\s*[{[]/.test(text)) return null
  if (!isJson(text)) return 'body_cut'
  if (jsonTokens(text) === null) return null
  return text === JSON.stringify(JSON.parse(text)) ? null : 'body_printed'
}

function* blanks(text: string): Generator<string> {
  const trimmed = text.replace(BLANK_AT_END, '')
  if (trimmed !== text) yield trimmed
  const both = trimmed.replace(BLANK_AT_START, '')
  if (both !== trimmed) yield both
  yield `${text}\n`
  yield `${text}\r\n`
  if (text.includes('\r\n')) yield text.replaceAll('\r\n', '\n')
  else if (text.includes('\n')) yield text.replaceAll('\n', '\r\n')
}

function* charsets(text: string): Generator<BodyTrial> {
  const mark = '\ufeff'
  const other = text.startsWith(mark) ? text.slice(1) : mark + text
  yield { cause: 'body_charset', body: encoder.encode(other) }
  // UTF-8 that was read as Latin-1, and written as UTF-8 again.
  if (/[\u0080-\u00ff]/.test(text) && !/[\u0100-\uffff]/.test(text))
    yield { cause: 'body_charset', body: Uint8Array.from(text, (character) => character.charCodeAt(0)) }
}

/** The text in a body that is one JSON string, or null. */
function unquoted(text: string): string | null {
  if (!/^\s*"/.test(text) || !isJson(text)) return null
  return String(JSON.parse(text))
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function utf8(body: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
  } catch {
    return null
  }
}
