type Reviver = (this: unknown, name: string, value: unknown, context?: { source?: string }) => unknown

/** JSON.parse source text access, which TypeScript's library does not declare yet, and older browsers lack. */
const SourceJson = JSON as unknown as {
  parse(text: string, reviver: Reviver): unknown
  rawJSON?: (text: string) => unknown
}

/**
 * Parses JSON to be written again: `JSON.stringify` prints its numbers as they stood, 2567.50 and long integers too.
 * They are not to be calculated with.
 */
export function parseExactJson(text: string): unknown {
  const { rawJSON } = SourceJson
  if (rawJSON === undefined) return JSON.parse(text)
  return SourceJson.parse(text, (_, value, context) =>
    typeof value === 'number' && context?.source !== undefined ? rawJSON(context.source) : value,
  )
}
