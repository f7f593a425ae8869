import { type JsonToken, jsonTokens, type Layout, printTokens } from './json-tokens.ts'

/** Longest text that is printed again: it costs a hundred times its length. */
const CHARS_MAX = 128_000

const COMPACT: Layout = { comma: '', colon: '', indent: null }
const SPACED: Layout = { comma: ' ', colon: ' ', indent: null }
const LAYOUTS: readonly Layout[] = [
  COMPACT,
  SPACED,
  { comma: '', colon: ' ', indent: '  ' },
  { comma: '', colon: ' ', indent: '    ' },
  { comma: '', colon: ' ', indent: '\t' },
]

const escapeOf = (character: string, hexCase: 'lower' | 'upper') => {
  const digits = character.charCodeAt(0).toString(16).padStart(4, '0')
  return `\\u${hexCase === 'upper' ? digits.toUpperCase() : digits}`
}
const escaped = (pattern: RegExp, hexCase: 'lower' | 'upper' = 'lower') => {
  return (text: string) => text.replace(pattern, (character) => escapeOf(character, hexCase))
}
const slashes = (text: string) => text.replaceAll('/', '\\/')
const asIs = (text: string) => text
/** Without the unit flag, so that a character beyond 16 bits becomes two escapes, as printers write it. */
const BEYOND_ASCII = /[\u007f-\uffff]/g

/** Escapes of the usual printers, over what JSON itself has to escape. */
const ESCAPES: readonly ((text: string) => string)[] = [
  asIs,
  escaped(BEYOND_ASCII),
  slashes,
  (text) => escaped(BEYOND_ASCII)(slashes(text)),
  escaped(/[<>&\u2028\u2029]/g),
  escaped(/[<>&='\u2028\u2029]/g),
  (text) => escaped(/[<>&'+`\u007f-\uffff]/g, 'upper')(text.replaceAll('\\"', '\\u0022')),
]

/** Numbers as other languages print them: with cents, as floats, or as short as JavaScript does. */
const NUMBERS: readonly ((text: string) => string)[] = [
  asIs,
  (text) => text.replace(/^(-?\d+\.\d)$/, '$10'),
  (text) => text.replace(/^(-?\d+)$/, '$1.00').replace(/^(-?\d+\.\d)$/, '$10'),
  (text) => text.replace(/^(-?\d+)$/, '$1.0'),
  (text) => String(Number(text)),
]

/** The members of payloads in the order in which the relay writes them. */
const MEMBER_ORDERS: readonly (readonly string[])[] = [
  ['id', 'event', 'timestamp', 'livemode', 'api_version', 'data', 'context'],
  ['id', 'type', 'created_at', 'data', 'workspace_id'],
  ['type', 'timestamp', 'data'],
]

/**
 * Prints a JSON text as the usual printers of the usual languages would, the likeliest first and none twice: compact
 * around the publisher's own text first, which is what the relay sends.
 */
export function* printingsOf(text: string): Generator<string> {
  const tokens = text.length > CHARS_MAX ? null : jsonTokens(text)
  if (tokens === null) return
  const seen = new Set([text])
  for (const ordered of [tokens, ...reordered(tokens)]) {
    for (const printed of printedIn(ordered)) {
      if (seen.has(printed)) continue
      seen.add(printed)
      yield printed
    }
  }
}

function* printedIn(tokens: readonly JsonToken[]): Generator<string> {
  for (const number of NUMBERS) {
    for (const string of ESCAPES) {
      const written = tokens.map((token) => ({ ...token, text: rewritten(token.text, { string, number }) }))
      for (const layout of LAYOUTS) {
        yield printTokens(written, (depth) => (depth < 2 ? COMPACT : layout))
        yield printTokens(written, () => layout)
      }
    }
  }
}

function rewritten(
  token: string,
  { string, number }: Record<'string' | 'number', (text: string) => string>,
): string {
  if (token.startsWith('"')) return string(JSON.stringify(JSON.parse(token)))
  return /^[-\d]/.test(token) ? number(token) : token
}

/** The same object with the members of its outermost level as the relay orders them. */
function* reordered(tokens: readonly JsonToken[]): Generator<JsonToken[]> {
  const members = membersOf(tokens)
  if (members === null) return
  for (const order of MEMBER_ORDERS) {
    if (!members.every(({ name }) => order.includes(name))) continue
    const sorted = members.toSorted((one, other) => order.indexOf(one.name) - order.indexOf(other.name))
    const comma = { text: ',', depth: 1, isName: false }
    const inner = sorted.flatMap(({ tokens: own }, at) => (at === 0 ? own : [comma, ...own]))
    yield [...tokens.slice(0, 1), ...inner, ...tokens.slice(-1)]
  }
}

function membersOf(tokens: readonly JsonToken[]): { name: string; tokens: JsonToken[] }[] | null {
  if (tokens[0]?.text !== '{') return null
  const members: { name: string; tokens: JsonToken[] }[] = []
  for (const token of tokens.slice(1, -1)) {
    if (token.depth === 1 && token.text === ',') continue
    if (token.depth === 1 && token.isName) members.push({ name: String(JSON.parse(token.text)), tokens: [] })
    members.at(-1)?.tokens.push(token)
  }
  return members
}
