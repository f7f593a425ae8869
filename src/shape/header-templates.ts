import type { EventView } from '../model/event-view.ts'
import { HEADER_VALUE_LENGTH_MAX } from './headers.ts'
import type { Budget } from './liquid/budget.ts'
import type { InTurns } from './liquid/engine.ts'
import { compileParts, hasOutputs, renderParts, type TextPart } from './text-parts.ts'

const CONTROLS = /\p{Cc}+/gu
const NOT_ASCII = /[^ -~]+/gu

/** The values of headers that have outputs, compiled; others are sent as they are. */
export type HeaderTemplates = ReadonlyMap<string, readonly TextPart[]>

/** Compiles headers. A stored value that does not compile is older than templates, and sent as it is. */
export function compileHeaders(headers: Readonly<Record<string, string>>): HeaderTemplates {
  const compiled = new Map<string, readonly TextPart[]>()
  for (const [name, value] of Object.entries(headers)) {
    const result = hasOutputs(value) ? compileParts(value) : null
    if (result?.ok) compiled.set(name, result.parts)
  }
  return compiled
}

/** Renders one header's value. Throws where it cannot be sent. */
export function* renderHeader(
  parts: readonly TextPart[],
  rendering: { view: EventView; budget: Budget },
): InTurns<string> {
  const value = (yield* renderParts(parts, rendering, escapeForHeader)).trim()
  if (value === '') throw new Error('must not be empty')
  if (value.length > HEADER_VALUE_LENGTH_MAX) {
    throw new Error(`must give at most ${HEADER_VALUE_LENGTH_MAX} characters, not ${value.length}`)
  }
  return value
}

/**
 * What a header can carry of a text: line breaks and other control characters become a blank, so that
 * a value cannot begin another header, and characters beyond ASCII are percent-encoded.
 */
function escapeForHeader(text: string): string {
  return text.toWellFormed().replace(CONTROLS, ' ').replace(NOT_ASCII, encodeURIComponent)
}
