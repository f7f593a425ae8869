/** A search in events' payloads. */
export type PayloadSearch =
  /** Payloads that hold a text anywhere, in any case. */
  | { kind: 'text'; text: string }
  /** Payloads in which a path leads to a value. */
  | { kind: 'value'; path: string; equals: string }

/**
 * The ways in which a text may be written in the JSON of a payload, which is its publisher's own: with escapes for what
 * is not ASCII, or for slashes, or without. A payload without any of them does not hold the text.
 */
export function needlesOf(search: PayloadSearch): string[] {
  const text = search.kind === 'text' ? search.text : search.equals
  const plain = JSON.stringify(text).slice(1, -1)
  const needles = [plain, escapeWide(plain)].flatMap((each) => [each, each.replaceAll('/', '\\/')])
  return [...new Set(search.kind === 'text' ? [text, ...needles] : needles)]
}

function escapeWide(text: string): string {
  return text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
