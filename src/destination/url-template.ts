import type { EventView } from '../model/event-view.ts'
import type { Budget } from '../shape/liquid/budget.ts'
import type { InTurns } from '../shape/liquid/engine.ts'
import { compileParts, escapesForUrl, hasOutputs, renderParts, type TextPart } from '../shape/text-parts.ts'
import { checkDestination, type DestinationRules, URL_LENGTH_MAX } from './url.ts'

/** A URL up to where its path or query begins: what no output may change. */
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/?#{]+[/?]/i
/** A step to another path, however it is written; the URL parser would make it. */
const DOT_SEGMENT = /^(?:\.|%2e){1,2}$/i

/** Checks a URL as it is saved, with outputs in its path and query or without. */
export function checkUrl(
  url: string,
  rules: DestinationRules,
): { ok: true } | { ok: false; message: string } {
  const checked = hasOutputs(url) ? checkTemplate(url) : { ok: true as const }
  return checked.ok ? checkDestination(fixedUrl(url), rules) : checked
}

function checkTemplate(url: string): { ok: true } | { ok: false; message: string } {
  const compiled = compileParts(url)
  if (!compiled.ok) return compiled
  if (!ORIGIN.test(url)) {
    return {
      ok: false,
      message: 'must have outputs in its path and query only, as scheme, host and port are fixed',
    }
  }
  if (compiled.parts.some(escapesForUrl)) {
    return { ok: false, message: 'must not encode its outputs: they are percent-encoded in any case' }
  }
  return { ok: true }
}

/** A URL with a letter for each of its outputs: what can be said of it before there is an event. */
export function fixedUrl(url: string): string {
  const parts = partsOf(url)
  return parts === null ? url : parts.map((part) => (part.kind === 'literal' ? part.text : 'x')).join('')
}

/** Compiles a URL with outputs; null for one without, which is sent to as it is. */
export function compileUrl(url: string): readonly TextPart[] | null {
  return ORIGIN.test(url) ? partsOf(url) : null
}

/** Renders a URL. Throws where the event's values would lead to another path than the one that was meant. */
export function* renderUrl(
  parts: readonly TextPart[],
  rendering: { view: EventView; budget: Budget },
): InTurns<string> {
  const url = yield* renderParts(parts, rendering, encodeForUrl)
  const [path = ''] = url.split('?', 1)
  if (path.split('/').some((segment) => DOT_SEGMENT.test(segment))) {
    throw new Error('must not give "." or ".." as a part of the path')
  }
  if (url.length > URL_LENGTH_MAX) {
    throw new Error(`must give at most ${URL_LENGTH_MAX} characters, not ${url.length}`)
  }
  return url
}

function partsOf(url: string): TextPart[] | null {
  const compiled = hasOutputs(url) ? compileParts(url) : null
  return compiled?.ok ? compiled.parts : null
}

/** Encodes all that has a meaning in URLs, so that a value stays one part of the path or query. */
function encodeForUrl(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
