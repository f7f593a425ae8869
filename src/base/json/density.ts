import { skipString } from './members.ts'

/** The marks of a JSON text that become objects in memory. */
export type Density = {
  /** Lists and objects. */
  containers: number
  /** Members and elements, within one per list or object. */
  values: number
  /** Lists and objects within one another, at the deepest place. */
  depth: number
}

/** Characters after which others may have their turn: some milliseconds of the densest text. */
const CHARS_PER_TURN = 500_000

const QUOTE = 34
const COMMA = 44
const OPEN_BRACKET = 91
const CLOSE_BRACKET = 93
const OPEN_BRACE = 123
const CLOSE_BRACE = 125

/**
 * Counts what a text would become, before it is parsed, a piece at a time: any text is taken, also one that is no JSON.
 */
export function* densityOf(text: string): Generator<void, Density, void> {
  let containers = 0
  let commas = 0
  let open = 0
  let depth = 0
  let turnEndsAt = CHARS_PER_TURN
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = skipString(text, at) - 1
    else if (code === COMMA) commas++
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) open--
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      containers++
      depth = Math.max(depth, ++open)
    }
    if (at >= turnEndsAt) {
      turnEndsAt = at + CHARS_PER_TURN
      yield
    }
  }
  return { containers, values: containers + commas, depth }
}
