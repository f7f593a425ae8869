/** A text of a form as a value, or what is wrong with it. */
export type Read<T> = { kind: 'value'; value: T } | { kind: 'refused'; message: string }

type Texts = Record<string, string>

const value = <T>(read: T): Read<T> => ({ kind: 'value', value: read })

/** Reads JSON; the engine's own message says where it ends to be that. */
export function readJson<T>(text: string): Read<T> {
  try {
    return value(JSON.parse(text) as T)
  } catch (error) {
    return { kind: 'refused', message: `is no JSON: ${error instanceof Error ? error.message : ''}` }
  }
}

/** Reads a whole number; the relay says which ones it takes. */
export function readWhole(text: string): Read<number> {
  return /^\d{1,9}$/.test(text.trim())
    ? value(Number(text))
    : { kind: 'refused', message: 'must be a whole number' }
}

/** Reads words that stand on lines of their own, or have commas or blanks between them. */
export function readWords(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== '')
}

/** Reads `name: value`, a line each, or a JSON object. */
export function readTexts(text: string): Read<Texts> {
  if (text.trim().startsWith('{')) return readJson(text)
  const read: Texts = {}
  for (const line of linesOf(text)) {
    const colon = line.indexOf(':')
    if (colon < 1) return { kind: 'refused', message: `needs "name: value" in each line; "${line}" is not` }
    read[line.slice(0, colon).trim()] = line.slice(colon + 1).trim()
  }
  return value(read)
}

/** Writes what `readTexts` reads: lines, or JSON where a line would not say the same. */
export function writeTexts(texts: Texts): string {
  const lines = Object.entries(texts).map(([name, text]) => `${name}: ${text}`)
  const written = lines.join('\n')
  const again = readTexts(written)
  const isSame = again.kind === 'value' && JSON.stringify(again.value) === JSON.stringify(texts)
  return isSame ? written : writeJson(texts)
}

/** Reads filters: an expression a line, or JSON. */
export function readFilters<T>(text: string): Read<T | string[]> {
  return /^[{[]/.test(text.trim()) ? readJson<T>(text) : value(linesOf(text))
}

/** Writes what `readFilters` reads. */
export function writeFilters(filters: unknown): string {
  const isLines =
    Array.isArray(filters) && filters.every((line) => typeof line === 'string' && !/^[{[]/.test(line))
  return isLines ? filters.join('\n') : writeJson(filters)
}

/** Reads a template: JSON, or a text as it is. One that begins with an output is a text. */
export function readTemplate<T>(text: string): Read<T | string> {
  return isJsonTemplate(text) ? readJson<T>(text) : value(text)
}

/** Writes what `readTemplate` reads. */
export function writeTemplate(template: unknown): string {
  return typeof template === 'string' && !isJsonTemplate(template) ? template : writeJson(template)
}

export function writeJson(json: unknown): string {
  return JSON.stringify(json, null, 2)
}

function isJsonTemplate(text: string): boolean {
  return /^\s*(\{(?![{%])|\[|")/.test(text)
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}
