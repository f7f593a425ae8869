import { parseAst } from 'vite'
import { childrenOf, type Node, nameOf, nodeOf, nodesOf, unwrapped } from './syntax.ts'

/** A text that people read, and how it stands in its source. */
export type FoundText = {
  start: number
  end: number
  /** In English; `{0}` stands for the first value in it. */
  english: string
  values: readonly Node[]
  place: 'expression' | 'attribute' | 'children'
  /** True where a blank stands before it and after it. */
  around: readonly [boolean, boolean]
}

const TEXT_PROPS = new Set([
  ...['title', 'label', 'description', 'placeholder', 'lead', 'verb', 'caption', 'note', 'alt', 'does'],
  ...['aria-label', 'copyLabel', 'name', 'legend'],
])
const TEXT_KEYS = new Set([
  ...['title', 'label', 'description', 'sentence', 'advice', 'header', 'first', 'next', 'note', 'group'],
])
const TEXT_CALLS = new Set(['countOf', 'because'])
/** Files that say states in words: all that their functions answer is text. */
const WORDS_FILE = /\/words\/|-in-words\.ts$/
const CONSTANT = /^[A-Z][A-Z0-9_]*$/
const LETTER = /\p{L}/u
/** Told from names and classes by its capital. */
const CAPITAL = /^\p{Lu}/u
const SENTENCE = /^\p{Lu}.* |^\p{Lu}[\p{L}-]*$/u
const WHOLE_SENTENCE = / .*[.?!]$/

/** Finds the texts of a source by where they stand: in elements, and under the names that texts have. */
export function findTexts(source: string, file: string): FoundText[] {
  const lang = file.endsWith('.tsx') ? 'tsx' : 'ts'
  const answers = WORDS_FILE.test(file) ? LETTER : SENTENCE
  const found = new Map<string, FoundText>()
  const visit = (node: Node): void => {
    for (const text of textsAt(node, { source, answers })) found.set(`${text.start}-${text.end}`, text)
    for (const child of childrenOf(node)) visit(child)
  }
  visit(parseAst(source, { lang }) as unknown as Node)
  return [...found.values()]
}

/** The form of what functions of the file answer, where it is text. */
type File = { source: string; answers: RegExp }

function textsAt(node: Node, { source, answers }: File): FoundText[] {
  switch (node.type) {
    case 'JSXText':
      return betweenElements(node, source)
    case 'JSXAttribute':
      return inAttribute(node)
    case 'JSXElement':
    case 'JSXFragment':
      return nodesOf(node['children']).flatMap((child) =>
        child.type === 'JSXExpressionContainer' ? chosenTexts(child['expression'], LETTER) : [],
      )
    case 'Property':
      return TEXT_KEYS.has(nameOf(node['key'])) ? chosenTexts(node['value'], LETTER) : []
    case 'VariableDeclarator':
      return CONSTANT.test(nameOf(node['id'])) ? inConstant(unwrapped(nodeOf(node['init']))) : []
    case 'CallExpression':
      return isTextCall(nodeOf(node['callee']))
        ? nodesOf(node['arguments']).flatMap((argument) => chosenTexts(argument, LETTER))
        : []
    case 'ReturnStatement':
      return chosenTexts(node['argument'], answers)
    case 'ArrowFunctionExpression':
      return chosenTexts(node['body'], answers)
    default:
      return []
  }
}

function betweenElements({ start, end }: Node, source: string): FoundText[] {
  const shown = shownText(source.slice(start, end))
  const english = shown.trim()
  if (!LETTER.test(english)) return []
  return [
    { start, end, english, values: [], place: 'children', around: [/^\s/.test(shown), /\s$/.test(shown)] },
  ]
}

/** A text between elements as it is shown: its lines are joined by one blank, and indented by none. */
function shownText(text: string): string {
  const lines = text.split('\n')
  const bare = lines.map((line, n) => {
    const begun = n === 0 ? line : line.trimStart()
    return n === lines.length - 1 ? begun : begun.trimEnd()
  })
  return bare.filter((line) => line !== '').join(' ')
}

function inAttribute(node: Node): FoundText[] {
  const name = nameOf(node['name'])
  const value = nodeOf(node['value'])
  if (value === null || !TEXT_PROPS.has(name)) return []
  // Fields of forms have names too, which are no texts.
  const form = name === 'name' ? CAPITAL : LETTER
  if (value.type === 'JSXExpressionContainer') return chosenTexts(value['expression'], form)
  return chosenTexts(value, form).map((text) => ({ ...text, place: 'attribute' as const }))
}

/** Constants in capitals: a sentence, or an object or a list of texts. */
function inConstant(init: Node | null): FoundText[] {
  switch (init?.type) {
    case 'ObjectExpression':
      return nodesOf(init['properties']).flatMap((property) => chosenTexts(property['value'], SENTENCE))
    case 'ArrayExpression':
      return nodesOf(init['elements']).flatMap((element) => chosenTexts(element, SENTENCE))
    default:
      return chosenTexts(init, WHOLE_SENTENCE)
  }
}

function isTextCall(callee: Node | null): boolean {
  const isNotice = callee?.type === 'MemberExpression' && nameOf(callee['object']) === 'notices'
  return isNotice || TEXT_CALLS.has(nameOf(callee))
}

/** The texts of a form that an expression chooses from. */
function chosenTexts(expression: unknown, form: RegExp): FoundText[] {
  const node = unwrapped(nodeOf(expression))
  const chosen = (member: string) => chosenTexts(node?.[member], form)
  switch (node?.type) {
    case 'Literal':
      return literalText(node, form)
    case 'TemplateLiteral':
      return templateTexts(node, form)
    case 'ConditionalExpression':
      return [...chosen('consequent'), ...chosen('alternate')]
    case 'LogicalExpression':
      return node['operator'] === '&&' ? chosen('right') : [...chosen('left'), ...chosen('right')]
    default:
      return []
  }
}

function literalText(node: Node, form: RegExp): FoundText[] {
  const { start, end } = node
  const english = node['value']
  if (typeof english !== 'string' || !LETTER.test(english) || !form.test(english)) return []
  return [{ start, end, english, values: [], place: 'expression', around: [false, false] }]
}

/** A text with values. One of these may be a text itself: an ending, or a part that is there at times. */
function templateTexts(node: Node, form: RegExp): FoundText[] {
  const { start, end } = node
  const values = nodesOf(node['expressions'])
  const parts = nodesOf(node['quasis']).map((part) => String((part['value'] as { cooked: string }).cooked))
  const english = parts.map((part, n) => (n < values.length ? `${part}{${n}}` : part)).join('')
  if (!LETTER.test(parts.join('')) || (form === SENTENCE && !form.test(english))) return []
  const inner = values.flatMap((value) =>
    value.type === 'ConditionalExpression' ? chosenTexts(value, LETTER) : [],
  )
  return [{ start, end, english, values, place: 'expression', around: [false, false] }, ...inner]
}
