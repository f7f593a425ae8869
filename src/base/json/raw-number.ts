/**
 * Numbers as they were published. `JSON.parse` turns 2567.50 into 2567.5 and rounds 12345678901234567890; a template
 * that passes a number on must not.
 */

type Reviver = (this: unknown, name: string, value: unknown, context?: { source?: string }) => unknown

/** ECMAScript's JSON.parse source text access, which TypeScript's es2024 library does not declare yet. */
const RawJson = JSON as unknown as {
  parse(text: string, reviver: Reviver): unknown
  rawJSON(text: string): unknown
}

/**
 * A JSON number that a JavaScript number would print differently: it prints as it was written and calculates as the
 * number nearest to it. It has no own properties, so that no path leads into it. The comparisons are what Liquid asks
 * of a value that is not a primitive.
 */
export class RawNumber {
  readonly #source: string

  constructor(source: string) {
    this.#source = source
  }

  valueOf(): number {
    return Number(this.#source)
  }

  toString(): string {
    return this.#source
  }

  toJSON(): unknown {
    return RawJson.rawJSON(this.#source)
  }

  equals(other: unknown): boolean {
    return this.valueOf() === (other instanceof RawNumber ? other.valueOf() : other)
  }

  gt(other: unknown): boolean {
    return this.valueOf() > (other as number)
  }

  geq(other: unknown): boolean {
    return this.valueOf() >= (other as number)
  }

  lt(other: unknown): boolean {
    return this.valueOf() < (other as number)
  }

  leq(other: unknown): boolean {
    return this.valueOf() <= (other as number)
  }
}

/** Parses JSON; a number that would not print as it was written becomes a `RawNumber`. Throws as `JSON.parse` does. */
export function parseRawJson(text: string): unknown {
  return RawJson.parse(text, keepSource)
}

/** JSON text of a parsed value, numbers to the byte; null for undefined. Throws a RangeError when nested too deeply. */
export function rawJsonText(value: unknown): string {
  return JSON.stringify(value) ?? 'null'
}

/** A value as plain text: strings and numbers as they were published, nothing for null, JSON for lists and objects. */
export function rawText(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'object' && !(value instanceof RawNumber) ? rawJsonText(value) : String(value)
}

const keepSource: Reviver = (_, value, context) =>
  typeof value === 'number' && context?.source !== undefined && String(value) !== context.source
    ? new RawNumber(context.source)
    : value
