import { rawText } from '../base/json/raw-number.ts'
import type { EventView } from '../model/event-view.ts'
import type { Budget } from './liquid/budget.ts'
import { type CompiledText, compileText, type InTurns, renderText } from './liquid/engine.ts'

/** A piece of a text with outputs: what stands there as it is, or an output, `source` being what was written. */
export type TextPart =
  | { kind: 'literal'; text: string }
  | { kind: 'output'; source: string; compiled: CompiledText }

const OUTPUT = /\{\{[\s\S]*?\}\}/g
const BRACES = '{{'
/** Filters that escape for URLs, which a URL's outputs are anyway. */
const URL_FILTERS = /\|\s*(?:url_encode|cgi_escape|uri_escape)\s*-?\}\}$/

/** True for a text that may hold outputs. */
export function hasOutputs(text: string): boolean {
  return text.includes(BRACES)
}

/**
 * Cuts a text at its outputs, `{{ … }}`, and compiles them one by one, so that each can be escaped by
 * itself. Tags have no meaning here: `{%` is found in many a URL.
 */
export function compileParts(text: string): { ok: true; parts: TextPart[] } | { ok: false; message: string } {
  const parts: TextPart[] = []
  let end = 0
  for (const { 0: source, index } of text.matchAll(OUTPUT)) {
    const result = compileText(source)
    if (!result.ok) return { ok: false, message: `${source} ${result.message}` }
    if (index > end) parts.push({ kind: 'literal', text: text.slice(end, index) })
    parts.push({ kind: 'output', source, compiled: result.compiled })
    end = index + source.length
  }
  const rest = text.slice(end)
  if (rest.includes(BRACES)) return { ok: false, message: 'has "{{" without "}}" behind it' }
  if (rest !== '') parts.push({ kind: 'literal', text: rest })
  return { ok: true, parts }
}

/** True for an output that its author escapes for a URL already. */
export function escapesForUrl(part: TextPart): boolean {
  return part.kind === 'output' && URL_FILTERS.test(part.source)
}

/**
 * Renders a text's pieces, outputs through `escapeText`. Throws errors that `reasonOf` explains, also
 * for an output that gives nothing.
 */
export function* renderParts(
  parts: readonly TextPart[],
  { view, budget }: { view: EventView; budget: Budget },
  escapeText: (text: string) => string,
): InTurns<string> {
  let text = ''
  for (const part of parts) {
    text += part.kind === 'literal' ? part.text : escapeText(yield* outputOf(part, { view, budget }))
  }
  return text
}

function* outputOf(
  { source, compiled }: Extract<TextPart, { kind: 'output' }>,
  { view, budget }: { view: EventView; budget: Budget },
): InTurns<string> {
  const rendered = yield* renderText(compiled, view, budget)
  if (rendered.kind === 'value') budget.weigh(rendered.value)
  const text = rendered.kind === 'text' ? rendered.text : rawText(rendered.value)
  if (text === '')
    throw new Error(`${source} gives nothing: add a default, such as {{ … | default: "none" }}`)
  return text
}
