/** Where in a text something is wrong: a line of it, counted from 1, and the column. */
export type Place = { line: number; column: number; text: string; offset: number }

const POSITION = /line (\d+),? column (\d+)/
const RULE = /^filters[.[](\d+)/
const PART = /^transform\.template\.?([^:\s]*)/

/** Finds the place that a refusal of a field names; null for one that names none. */
export function errorPlace(text: string, message: string): Place | null {
  const found = POSITION.exec(message)
  if (found === null) return null
  const [line, column] = [Number(found[1]), Number(found[2])]
  return placeAt(text, startOf(text, message) ?? 0, { line, column })
}

/** Where the part begins that lines and columns are counted in: a rule, a text of a template, or the whole. */
function startOf(text: string, message: string): number | null {
  const rule = RULE.exec(message)?.[1]
  if (rule !== undefined) return startOfRule(text, Number(rule))
  const part = PART.exec(message)?.[1]
  return part === undefined || part === '' ? null : startOfPart(text, part)
}

function startOfRule(text: string, index: number): number | null {
  if (/^[{[]/.test(text.trim())) return null
  let offset = 0
  let seen = -1
  for (const line of text.split('\n')) {
    if (line.trim() !== '' && ++seen === index) return offset + line.indexOf(line.trim())
    offset += line.length + 1
  }
  return null
}

/** A text within a template of JSON, if it stands there as it is: escapes would move what comes after them. */
function startOfPart(text: string, path: string): number | null {
  const value = valueAt(text, path)
  if (typeof value !== 'string') return null
  const offset = text.indexOf(JSON.stringify(value))
  return offset < 0 ? null : offset + 1
}

function valueAt(text: string, path: string): unknown {
  try {
    const names = path.split(/[.[\]]+/).filter((name) => name !== '')
    return names.reduce<unknown>(
      (value, name) => (value as Record<string, unknown> | null)?.[name],
      JSON.parse(text),
    )
  } catch {
    return null
  }
}

function placeAt(
  text: string,
  start: number,
  { line, column }: { line: number; column: number },
): Place | null {
  const lines = text.slice(start).split('\n')
  const before = lines.slice(0, line - 1)
  if (before.length < line - 1) return null
  const offset = Math.min(start + before.join('\n').length + (line > 1 ? 1 : 0) + column - 1, text.length)
  const whole = text.slice(0, offset)
  const begin = whole.lastIndexOf('\n') + 1
  const end = text.indexOf('\n', offset)
  return {
    line: whole.split('\n').length,
    column: offset - begin + 1,
    text: text.slice(begin, end < 0 ? text.length : end),
    offset,
  }
}
