import { TEMPLATE_CHARS_MAX, TEMPLATE_DEPTH_MAX, TEMPLATE_LEAVES_MAX } from './budget.ts'
import { type CompiledText, compileText } from './engine.ts'

/** A compiled template. Each string has its path, such as `template.items.0.name`. */
export type TemplateNode =
  | { kind: 'string'; path: string; compiled: CompiledText }
  | { kind: 'fixed'; value: number | boolean | null }
  | { kind: 'array'; elements: TemplateNode[] }
  | { kind: 'object'; members: [name: string, node: TemplateNode][] }

/** A problem of a template; `path` begins at the transform. */
export type TemplateProblem = { path: (string | number)[]; message: string }

/** A compiled template, or all its problems. */
type CompiledTemplate =
  | { kind: 'compiled'; root: TemplateNode }
  | { kind: 'refused'; problems: TemplateProblem[] }

/** Compiles all strings of a template, a JSON value; member names and other values stay as they are. */
export function compileTemplate(template: unknown): CompiledTemplate {
  const bounds = boundsProblem(template)
  if (bounds !== null) return { kind: 'refused', problems: [{ path: ['template'], message: bounds }] }
  const problems: TemplateProblem[] = []
  const root = compileNode(template, ['template'], problems)
  return problems.length > 0 ? { kind: 'refused', problems } : { kind: 'compiled', root }
}

function compileNode(value: unknown, path: (string | number)[], problems: TemplateProblem[]): TemplateNode {
  if (typeof value === 'string') {
    const result = compileText(value)
    if (result.ok) return { kind: 'string', path: path.join('.'), compiled: result.compiled }
    problems.push({ path, message: result.message })
    return { kind: 'fixed', value: null }
  }
  if (Array.isArray(value)) {
    const elements = value.map((element, index) => compileNode(element, [...path, index], problems))
    return { kind: 'array', elements }
  }
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(([name, member]): [string, TemplateNode] => [
      name,
      compileNode(member, [...path, name], problems),
    ])
    return { kind: 'object', members }
  }
  return { kind: 'fixed', value: value as number | boolean | null }
}

/** Checks depth and leaves first: an unbounded template cannot even be printed to be measured. */
function boundsProblem(template: unknown): string | null {
  const leaves = countLeaves(template, 0)
  if (Number.isNaN(leaves)) return `must be nested at most ${TEMPLATE_DEPTH_MAX} deep`
  if (leaves > TEMPLATE_LEAVES_MAX) return `must have at most ${TEMPLATE_LEAVES_MAX} values`
  const chars = JSON.stringify(template).length
  return chars > TEMPLATE_CHARS_MAX ? `must be at most ${TEMPLATE_CHARS_MAX} characters of JSON` : null
}

/** Counts empty objects and lists too; NaN means that it is nested too deeply. */
function countLeaves(value: unknown, depth: number): number {
  if (typeof value !== 'object' || value === null) return 1
  if (depth === TEMPLATE_DEPTH_MAX) return Number.NaN
  const members: unknown[] = Array.isArray(value) ? value : Object.values(value)
  return members.reduce<number>((sum, member) => sum + countLeaves(member, depth + 1), 1)
}
