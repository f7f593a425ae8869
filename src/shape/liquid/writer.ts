import { rawJsonText, rawText } from '../../base/json/raw-number.ts'
import type { EventView } from '../../model/event-view.ts'
import type { OutputFormat } from '../content-type.ts'
import type { Budget } from './budget.ts'
import { renderText } from './engine.ts'
import type { TemplateNode } from './tree.ts'

type StringNode = Extract<TemplateNode, { kind: 'string' }>
type ObjectNode = Extract<TemplateNode, { kind: 'object' }>

/** One render under way. `path` names the string being rendered, for the message of an error. */
type Rendering = { view: EventView; budget: Budget; path: string }

/**
 * Writes a template's output. Throws errors that `reasonOf` explains; `rendering.path` names the
 * string.
 */
export function writeTemplate(root: TemplateNode, format: OutputFormat, rendering: Rendering): string {
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
      const rendered = render(node, rendering)
      if (rendered.kind === 'text') return JSON.stringify(rendered.text)
      return paid(rawJsonText(rendered.value), rendering)
    }
  }
}

/** Writes a template of one string: JSON written by hand, or the JSON of the value of a single path. */
function writeJsonByHand(node: StringNode, rendering: Rendering): string {
  const rendered = render(node, rendering)
  if (rendered.kind === 'value') return paid(rawJsonText(rendered.value), rendering)
  try {
    JSON.parse(rendered.text)
  } catch (error) {
    throw new Error(`must give JSON: ${error instanceof Error ? error.message : 'it does not'}`)
  }
  return rendered.text
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
  const rendered = render(node, rendering)
  return rendered.kind === 'text' ? rendered.text : paid(rawText(rendered.value), rendering)
}

function render(node: StringNode, rendering: Rendering) {
  rendering.path = node.path
  return renderText(node.compiled, rendering.view, rendering.budget)
}

function paid(text: string, { budget }: Rendering): string {
  budget.emit(text.length)
  return text
}
