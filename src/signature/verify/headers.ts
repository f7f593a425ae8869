import { type Refusal, refuse } from './result.ts'

/** A fetch-style `Headers`, Node's `request.headers`, or pairs of name and value. Names in any case. */
export type HeadersInput =
  | { forEach(callback: (value: string, name: string) => void): void }
  | Iterable<readonly [string, string | readonly string[] | undefined]>
  | Readonly<Record<string, string | readonly string[] | undefined>>

/** Values by lower-case name. */
export type ReceivedHeaders = ReadonlyMap<string, readonly string[]>

/** Copies the headers; `null` when they cannot be read. Values that are not texts are left out. */
export function receivedHeaders(input: unknown): ReceivedHeaders | null {
  const received = new Map<string, string[]>()
  const add = (name: unknown, value: unknown) => {
    if (typeof name !== 'string') return
    const values = received.get(name.toLowerCase()) ?? []
    for (const one of Array.isArray(value) ? value : [value]) {
      if (typeof one === 'string' && one !== '') values.push(one)
    }
    received.set(name.toLowerCase(), values)
  }
  try {
    readInto(add, input)
    return received
  } catch {
    return null
  }
}

/**
 * The only value of a header. A header sent twice has no value to trust: frameworks differ in the
 * one they keep. Where they join both with a comma, the header's grammar refuses the result.
 */
export function soleValue(headers: ReceivedHeaders, name: string): { ok: true; value: string } | Refusal {
  const values = headers.get(name.toLowerCase()) ?? []
  const [value] = values
  if (value === undefined) return refuse('missing_header', `the request has no ${name} header`)
  if (values.length > 1) return refuse('malformed_header', `${name} must be given once`)
  return { ok: true, value }
}

/** True when a header is there. */
export function hasHeader(headers: ReceivedHeaders, name: string): boolean {
  return (headers.get(name.toLowerCase())?.length ?? 0) > 0
}

function readInto(add: (name: unknown, value: unknown) => void, input: unknown): void {
  if (typeof input !== 'object' || input === null) throw new TypeError('not headers')
  if (Symbol.iterator in input) {
    for (const pair of input as Iterable<unknown>) {
      if (Array.isArray(pair)) add(pair[0], pair[1])
    }
  } else if ('forEach' in input && typeof input.forEach === 'function') {
    input.forEach((value: unknown, name: unknown) => {
      add(name, value)
    })
  } else {
    for (const [name, value] of Object.entries(input)) add(name, value)
  }
}
