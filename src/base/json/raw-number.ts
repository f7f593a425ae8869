/**
 * Numbers print as they were published. `JSON.parse` turns 2567.50 into 2567.5 and rounds
 * 12345678901234567890; a template that passes a number on must not.
 */

type Reviver = (this: unknown, name: string, value: unknown, context?: { source?: string }) => unknown

/** JSON.parse source text access, which TypeScript's es2024 library does not declare yet. */
const RawJson = JSON as unknown as {
  parse(text: string, reviver: Reviver): unknown
  rawJSON(text: string): unknown
}

/**
 * A JSON number that JavaScript would print differently: it prints as written and calculates as the
 * nearest number. It has no own properties, so no path leads into it. Liquid asks for the
 * comparisons.
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

/**
 * Parses JSON; a number that would print differently becomes a `RawNumber`. Throws as `JSON.parse`.
 */
export function parseRawJson(text: string): unknown {
  return RawJson.parse(text, keepSource)
}

/**
 * JSON text of a parsed value, numbers to the byte; null for undefined. Throws a RangeError for a
 * value nested too deeply.
 */
export function rawJsonText(value: unknown): string {
  return JSON.stringify(value) ?? 'null'
}

/** A value as plain text: scalars as published, nothing for null, JSON for lists and objects. */
export function rawText(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'object' && !(value instanceof RawNumber) ? rawJsonText(value) : String(value)
}

const keepSource: Reviver = (_, value, context) =>
  typeof value === 'number' && context?.source !== undefined && String(value) !== context.source
    ? new RawNumber(context.source)
    : value
