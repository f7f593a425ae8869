/** One token of a JSON text, and how deep it lies. */
export type JsonToken = { text: string; depth: number; isName: boolean }

/** The layout of a printer: what stands after commas and colons, and the step of its lines. */
export type Layout = { comma: string; colon: string; indent: string | null }

/** Levels of a text that is printed again: indented, it grows with their square. */
const DEPTH_MAX = 64

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/g

/**
 * Takes a JSON text apart without reading its numbers, which lose digits when they are read; null for a text that is
 * no JSON, or that is nested too deep to be printed again.
 */
export function jsonTokens(text: string): JsonToken[] | null {
  try {
    JSON.parse(text)
  } catch {
    return null
  }
  const tokens: JsonToken[] = []
  let depth = 0
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '}' || token === ']') depth -= 1
    if (token === ':') (tokens.at(-1) as JsonToken).isName = true
    tokens.push({ text: token, depth, isName: false })
    if (token === '{' || token === '[') depth += 1
    if (depth > DEPTH_MAX) return null
  }
  return tokens
}

/** Prints tokens in a layout, as JSON printers do: empty lists and objects in one piece. */
export function printTokens(tokens: readonly JsonToken[], layoutAt: (depth: number) => Layout): string {
  let text = ''
  for (const [at, token] of tokens.entries()) {
    const before = tokens[at - 1]
    const { comma, colon, indent } = layoutAt(token.depth)
    const isOpening = before?.text === '{' || before?.text === '['
    const isClosing = token.text === '}' || token.text === ']'
    const startsLine = isOpening ? !isClosing : isClosing || before?.text === ','
    if (indent !== null && startsLine) text += `\n${indent.repeat(token.depth)}`
    text += token.text
    if (token.text === ',' && indent === null) text += comma
    if (token.text === ':') text += colon
  }
  return text
}
