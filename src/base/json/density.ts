/** The marks of a JSON text that become objects in memory. */
export type Density = {
  /** Lists and objects. */
  containers: number
  /** Members and elements, within one per list or object. */
  values: number
  /** Lists and objects within one another, at the deepest place. */
  depth: number
}

const QUOTE = 34
const BACKSLASH = 92
const COMMA = 44
const OPEN_BRACKET = 91
const CLOSE_BRACKET = 93
const OPEN_BRACE = 123
const CLOSE_BRACE = 125

/** Counts what a text would become, before it is parsed: any text is taken, also one that is no JSON. */
export function densityOf(text: string): Density {
  let containers = 0
  let commas = 0
  let open = 0
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfString(text, at)
    else if (code === COMMA) commas++
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) open--
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      containers++
      if (++open > depth) depth = open
    }
  }
  return { containers, values: containers + commas, depth }
}

function endOfString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) return at
    if (code === BACKSLASH) at++
  }
  return text.length
}
