import { skipString } from './members.ts'

/** Characters that are parsed at once: some milliseconds of the densest text. */
const PIECE_CHARS = 64_000

/** A list or object that is open and has a value of its own: it is too large to be parsed with what is around it. */
type Frame = {
  readonly value: unknown[] | Record<string, unknown>
  /** Where the text begins that is not parsed yet. */
  from: number
  /** The name of the member that is open, where that is parsed by itself. */
  name: string
  /** The item before `from` was parsed by itself: a comma or the end must follow. */
  isAfterItem: boolean
}

/**
 * Parses a text as `JSON.parse` does, a piece at a time, and yields between pieces. Every piece is given to `JSON.parse`;
 * this parser only cuts at commas and brackets. Throws a SyntaxError for a text that is no list or object.
 */
export function* parseInTurns(text: string, pieceChars = PIECE_CHARS): Generator<void, unknown, void> {
  const parser = new PieceParser(text)
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = skipString(text, at) - 1
    else if (isMark(code)) {
      if (parser.take(code, at)) return parser.finish(at + 1)
      if (at - parser.parsedTo > pieceChars) {
        parser.parsePending()
        yield
      }
    }
  }
  throw new SyntaxError('it ends too early')
}

const QUOTE = 34
const COMMA = 44
const OPEN_BRACKET = 91
const CLOSE_BRACKET = 93
const OPEN_BRACE = 123
const CLOSE_BRACE = 125

function isMark(code: number): boolean {
  // A bracket and the brace like it differ in one bit.
  const brace = code | 32
  return code === COMMA || brace === OPEN_BRACE || brace === CLOSE_BRACE
}

class PieceParser {
  readonly #text: string
  /** Where the open lists and objects begin, outermost first. */
  readonly #starts: number[] = []
  /** The place after the last comma of each, or after its bracket. */
  readonly #items: number[] = []
  /** The outermost of them, as far as they have values of their own; all others lie within. */
  readonly #frames: Frame[] = []
  /** Where the text begins that is not parsed yet. */
  parsedTo = 0
  #root: unknown

  constructor(text: string) {
    this.#text = text
  }

  /** Takes a comma, a bracket or a brace; true for the end of the outermost list or object. */
  take(code: number, at: number): boolean {
    switch (code) {
      case COMMA:
        this.#separate(at)
        return false
      case OPEN_BRACE:
      case OPEN_BRACKET:
        this.#open(at)
        return false
      default:
        return this.#close(at, code === CLOSE_BRACKET)
    }
  }

  finish(at: number): unknown {
    this.#expectBlank(at, this.#text.length)
    return this.#root
  }

  /** Parses all complete items of the open lists and objects, which get values of their own. */
  parsePending(): void {
    for (let depth = Math.max(0, this.#frames.length - 1); depth < this.#starts.length; depth++) {
      const start = this.#starts[depth] ?? 0
      let frame = this.#frames[depth]
      if (frame === undefined) {
        if (depth > 0) this.#beginItem(depth - 1, start)
        const value = this.#isList(depth) ? [] : {}
        frame = { value, from: start + 1, name: '', isAfterItem: false }
        this.#frames.push(frame)
      }
      const item = this.#items[depth] ?? 0
      if (item > frame.from) this.#parseItems(frame, item - 1)
      this.parsedTo = frame.from
    }
  }

  #isList(depth: number): boolean {
    return this.#text.charCodeAt(this.#starts[depth] ?? 0) === OPEN_BRACKET
  }

  #open(at: number): void {
    if (this.#starts.length === 0) this.#expectBlank(0, at)
    this.#starts.push(at)
    this.#items.push(at + 1)
  }

  #separate(at: number): void {
    const depth = this.#starts.length - 1
    if (depth < 0) throw malformed(at)
    const frame = this.#frames[depth]
    if (frame?.isAfterItem) {
      this.#expectBlank(frame.from, at)
      frame.from = at + 1
      frame.isAfterItem = false
      this.parsedTo = frame.from
    }
    this.#items[depth] = at + 1
  }

  #close(at: number, isList: boolean): boolean {
    const depth = this.#starts.length - 1
    if (depth < 0 || this.#isList(depth) !== isList) throw malformed(at)
    const start = this.#starts.pop() ?? 0
    this.#items.pop()
    if (depth > 0 && this.#frames.length <= depth) return false
    const frame = this.#frames.pop()
    if (frame !== undefined) this.#parseLast(frame, start, at)
    const parent = this.#frames.at(-1)
    if (frame === undefined || parent === undefined) {
      this.#root = frame === undefined ? JSON.parse(this.#text.slice(0, at + 1)) : frame.value
      return true
    }
    add(parent, frame.value)
    parent.from = at + 1
    parent.isAfterItem = true
    this.parsedTo = parent.from
    return false
  }

  /** Reads what stands before an item that is parsed by itself: nothing in a list, a name in an object. */
  #beginItem(depth: number, start: number): void {
    const frame = this.#frames[depth]
    if (frame === undefined || frame.isAfterItem) throw malformed(start)
    const item = this.#items[depth] ?? 0
    if (Array.isArray(frame.value)) this.#expectBlank(item, start)
    else frame.name = Object.keys(JSON.parse(`{${this.#text.slice(item, start)}[]}`))[0] ?? ''
  }

  #parseLast(frame: Frame, start: number, at: number): void {
    if (frame.isAfterItem) this.#expectBlank(frame.from, at)
    else if (frame.from > start + 1 || !this.#isBlank(frame.from, at)) this.#parseItems(frame, at)
  }

  /** Parses the items up to a comma or the end; there must be one. */
  #parseItems(frame: Frame, end: number): void {
    if (this.#isBlank(frame.from, end)) throw malformed(end)
    const items = this.#text.slice(frame.from, end)
    frame.from = end + 1
    if (Array.isArray(frame.value)) {
      for (const item of JSON.parse(`[${items}]`) as unknown[]) frame.value.push(item)
      return
    }
    for (const [name, value] of Object.entries(JSON.parse(`{${items}}`) as object)) {
      frame.name = name
      add(frame, value)
    }
  }

  #isBlank(start: number, end: number): boolean {
    return /^[ \n\r\t]*$/.test(this.#text.slice(start, end))
  }

  #expectBlank(start: number, end: number): void {
    if (!this.#isBlank(start, end)) throw malformed(end)
  }
}

function add({ value: into, name }: Frame, value: unknown): void {
  if (Array.isArray(into)) into.push(value)
  // The one name that an assignment would take for the prototype.
  else if (name === '__proto__') {
    Object.defineProperty(into, name, { value, writable: true, enumerable: true, configurable: true })
  } else into[name] = value
}

function malformed(at: number): SyntaxError {
  return new SyntaxError(`unexpected at position ${at}`)
}
