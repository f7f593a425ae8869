import { rawJsonText, rawText } from '../../base/json/raw-number.ts'
import type { EventView } from '../../model/event-view.ts'
import type { OutputFormat } from '../content-type.ts'
import type { Budget } from './budget.ts'
import { type InTurns, type Rendered, renderText } from './engine.ts'
import type { TemplateNode } from './tree.ts'

type StringNode = Extract<TemplateNode, { kind: 'string' }>
type ObjectNode = Extract<TemplateNode, { kind: 'object' }>

/** One render under way. `path` names the string being rendered, for the message of an error. */
export class Rendering {
  readonly view: EventView
  readonly budget: Budget
  path = 'template'
  readonly strings = new Map<StringNode, Rendered>()

  constructor(view: EventView, budget: Budget) {
    this.view = view
    this.budget = budget
  }
}

/**
 * Writes a template's output, in turns. Throws errors that `reasonOf` explains; `rendering.path` names
 * the string.
 */
export function* writeTemplate(
  root: TemplateNode,
  format: OutputFormat,
  rendering: Rendering,
): InTurns<string> {
  for (const node of stringsOf(root)) {
    rendering.path = node.path
    rendering.strings.set(node, yield* renderText(node.compiled, rendering.view, rendering.budget))
  }
  return write(root, format, rendering)
}

function* stringsOf(node: TemplateNode): Generator<StringNode> {
  switch (node.kind) {
    case 'fixed':
      return
    case 'string':
      return yield node
    case 'array':
      for (const element of node.elements) yield* stringsOf(element)
      return
    case 'object':
      for (const [, member] of node.members) yield* stringsOf(member)
  }
}

/** Writes the output of a template whose strings are rendered. */
function write(root: TemplateNode, format: OutputFormat, rendering: Rendering): string {
  if (format === 'form' && root.kind === 'object') return writeForm(root, rendering)
  if (root.kind !== 'string') return writeJson(root, rendering)
  return format === 'json' ? writeJsonByHand(root, rendering) : writeText(root, rendering)
}

function writeJson(node: TemplateNode, rendering: Rendering): string {
  switch (node.kind) {
    case 'fixed':
      return JSON.stringify(node.value)
    case 'array':
      return `[${node.elements.map((element) => writeJson(element, rendering)).join(',')}]`
    case 'object': {
      const members = node.members.map(([name, member]) => {
        return `${JSON.stringify(name)}:${writeJson(member, rendering)}`
      })
      return `{${members.join(',')}}`
    }
    case 'string': {
      const result = rendered(node, rendering)
      if (result.kind === 'text') return JSON.stringify(result.text)
      return paid(rawJsonText(result.value), rendering)
    }
  }
}

/** Writes a template of one string: JSON written by hand, or the JSON of the value of a single path. */
function writeJsonByHand(node: StringNode, rendering: Rendering): string {
  const result = rendered(node, rendering)
  if (result.kind === 'value') return paid(rawJsonText(result.value), rendering)
  try {
    JSON.parse(result.text)
  } catch (error) {
    throw new Error(`must give JSON: ${error instanceof Error ? error.message : 'it does not'}`)
  }
  return result.text
}

/** Form fields: nested values as JSON text, null as nothing. */
function writeForm(form: ObjectNode, rendering: Rendering): string {
  const fields = form.members.map(([name, member]): [string, string] => [name, writeField(member, rendering)])
  return new URLSearchParams(fields).toString()
}

function writeField(node: TemplateNode, rendering: Rendering): string {
  if (node.kind === 'string') return writeText(node, rendering)
  return node.kind === 'fixed' ? rawText(node.value) : writeJson(node, rendering)
}

function writeText(node: StringNode, rendering: Rendering): string {
  const result = rendered(node, rendering)
  return result.kind === 'text' ? result.text : paid(rawText(result.value), rendering)
}

function rendered(node: StringNode, rendering: Rendering): Rendered {
  rendering.path = node.path
  return rendering.strings.get(node) ?? { kind: 'text', text: '' }
}

function paid(text: string, { budget }: Rendering): string {
  budget.emit(text.length)
  return text
}
