/**
 * A member's place in a JSON text. Values are cut out of the text, since printing parsed JSON turns
 * 2567.50 into 2567.5 and rounds long integers. `JSON.parse` must have accepted the text: these
 * functions walk it and validate nothing.
 */
export type Span = { start: number; end: number }

/** To look at so many characters of a string costs less than to have it searched. */
const SHORT_CHARS = 24

const QUOTE = 34
const BACKSLASH = 92
const OPEN_BRACE = 123
const OPEN_BRACKET = 91
const CLOSE_BRACE = 125
const CLOSE_BRACKET = 93
const COMMA = 44

/**
 * Spans of an object's values by name; of a name given twice the last counts, as in `JSON.parse`.
 */
export function memberSpans(text: string, objectStart: number): Map<string, Span> {
  const spans = new Map<string, Span>()
  let at = skipSpace(text, skipSpace(text, objectStart) + 1)
  while (text.charCodeAt(at) === QUOTE) {
    const nameEnd = skipString(text, at)
    const name = memberName(text, at, nameEnd)
    const start = skipSpace(text, skipSpace(text, nameEnd) + 1)
    const end = skipValue(text, start)
    spans.set(name, { start, end })
    at = skipSpace(text, end)
    if (text.charCodeAt(at) === COMMA) at = skipSpace(text, at + 1)
  }
  return spans
}

/** Start offsets of an array's elements. */
export function elementStarts(text: string, arrayStart: number): number[] {
  const starts: number[] = []
  let at = skipSpace(text, skipSpace(text, arrayStart) + 1)
  while (at < text.length && text.charCodeAt(at) !== CLOSE_BRACKET) {
    starts.push(at)
    at = skipSpace(text, skipValue(text, at))
    if (text.charCodeAt(at) === COMMA) at = skipSpace(text, at + 1)
  }
  return starts
}

function memberName(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end - 1)
  return raw.includes('\\') ? String(JSON.parse(text.slice(start, end))) : raw
}

function skipSpace(text: string, from: number): number {
  let at = from
  for (let code = text.charCodeAt(at); code === 32 || code === 10 || code === 13 || code === 9; ) {
    code = text.charCodeAt(++at)
  }
  return at
}

/** The place after a string that begins at a quotation mark. */
export function skipString(text: string, from: number): number {
  const nearEnd = Math.min(text.length, from + SHORT_CHARS)
  for (let at = from + 1; at < nearEnd; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) return at + 1
    if (code === BACKSLASH) break
  }
  let end = text.indexOf('"', from + 1)
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end === -1 ? text.length : end + 1
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0
  while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++
  return backslashes % 2 === 1
}

function skipValue(text: string, from: number): number {
  const first = text.charCodeAt(from)
  if (first === QUOTE) return skipString(text, from)
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return skipNested(text, from)
  let at = from
  while (at < text.length && !endsScalar(text.charCodeAt(at))) at++
  return at
}

function skipNested(text: string, from: number): number {
  let depth = 0
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = skipString(text, at) - 1
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++
    else if ((code === CLOSE_BRACE || code === CLOSE_BRACKET) && --depth === 0) return at + 1
  }
  return text.length
}

function endsScalar(code: number): boolean {
  return code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET || code <= 32
}

/** Counts how deep arrays and objects are nested in a value; a scalar has depth 0. */
export function nestingDepth(text: string, { start, end }: Span): number {
  let depth = 0
  let deepest = 0
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = skipString(text, at) - 1
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) deepest = Math.max(deepest, ++depth)
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth--
  }
  return deepest
}
