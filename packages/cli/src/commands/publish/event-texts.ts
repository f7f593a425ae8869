import { parseJson } from '../../arguments/json.ts'
import { Failure } from '../../failure/failure.ts'

/**
 * Reads a file of events: a JSON array, `{"events": […]}`, or one event on each line. Events on lines are left as they
 * stand; those of an array are printed anew, which numbers do not always survive.
 *
 * @throws Failure that names the line
 */
export function eventTexts(text: string, name: string): { texts: string[]; haveIds: boolean } {
  const events = text.trimStart().startsWith('[')
    ? ofArray(text, name)
    : (ofObject(text) ?? ofLines(text, name))
  if (events.length === 0) throw new Failure('usage', `${name} has no events.`)
  return {
    texts: events.map((event) => event.text),
    haveIds: events.every(({ value }) => typeof value['id'] === 'string'),
  }
}

type Read = { text: string; value: Record<string, unknown> }

function ofArray(text: string, name: string): Read[] {
  return listed(parseJson(text, name), name)
}

/** Null where it is no body of a publish: one event over several lines, or events on lines. */
function ofObject(text: string): Read[] | null {
  try {
    const value = JSON.parse(text) as { events?: unknown }
    return Array.isArray(value.events) ? listed(value.events, 'events') : null
  } catch {
    return null
  }
}

function listed(value: unknown, name: string): Read[] {
  return (value as unknown[]).map((each, i) => {
    if (isObject(each)) return { text: JSON.stringify(each), value: each }
    throw new Failure('usage', `${name}: event ${i + 1} is no JSON object.`)
  })
}

function ofLines(text: string, name: string): Read[] {
  if (isObject(tryJson(text))) return [{ text: text.trim(), value: tryJson(text) as Record<string, unknown> }]
  return text.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return []
    const value = parseJson(line, `${name}, line ${i + 1},`)
    if (isObject(value)) return [{ text: line.trim(), value }]
    throw new Failure('usage', `${name}, line ${i + 1}: an event must be a JSON object.`)
  })
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
