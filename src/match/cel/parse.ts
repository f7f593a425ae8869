import { type ASTNode, Environment } from '@marcbachmann/cel-js'

/** Most expressions of one subscription. */
export const EXPRESSIONS_MAX = 20
/** Longest expression, in characters. */
export const EXPRESSION_CHARS_MAX = 2000

const LIMITS = {
  maxAstNodes: 1000,
  maxDepth: 32,
  maxListElements: 200,
  maxMapEntries: 0,
  maxCallArguments: 3,
}

/** Functions that walk a list; they may follow one another but not be nested. */
export const COMPREHENSIONS: ReadonlySet<string> = new Set(['exists', 'all', 'exists_one', 'filter', 'map'])
const METHODS: ReadonlySet<string> = new Set([
  ...COMPREHENSIONS,
  'contains',
  'startsWith',
  'endsWith',
  'size',
  'lowerAscii',
  'upperAscii',
  'trim',
])
const FUNCTIONS: ReadonlySet<string> = new Set(['has', 'size', 'int', 'double', 'string', 'timestamp', 'dyn'])

const ARITHMETIC: ReadonlySet<string> = new Set(['+', '-', '*', '/', '%', '-_'])

/** Names that CEL itself gives a meaning; a field of such a name needs a longer path. */
const CEL_WORDS: ReadonlySet<string> = new Set(
  'bool bytes cel double google int list map null_type string type uint'.split(' '),
)

/** The reason why an expression is refused; `at` is an offset into its text, in UTF-16 units. */
type ExpressionProblem = { message: string; at: number }

/** Parses and checks an expression; answers its syntax tree or the first problem. */
export function parseExpression(text: string): { tree: ASTNode } | { problem: ExpressionProblem } {
  try {
    const parsed = environment().parse(text)
    const problem = problemIn(parsed.ast, null)
    if (problem !== null) return { problem }
    const { valid, type = 'dyn', error } = checked(parsed)
    if (!valid) return { problem: problemOf(error, text) }
    // A dynamic type is one that only the event decides; arithmetic never gives true or false.
    const isArithmetic = ARITHMETIC.has(parsed.ast.op)
    if (type === 'bool' || (type.startsWith('dyn') && !isArithmetic)) return { tree: parsed.ast }
    const given = type.startsWith('dyn') ? 'a number or a string' : type
    const message = `the whole expression must be true or false, but it gives ${given}`
    return { problem: { at: parsed.ast.start, message } }
  } catch (error) {
    return { problem: problemOf(error, text) }
  }
}

type Parsed = ReturnType<Environment['parse']>

/**
 * Runs cel-js' own check. It knows `has` of members only, as CEL does; here a bare name is a path
 * like any other (`has(total)`), so such a name gets a member while the check runs.
 */
function checked(parsed: Parsed): ReturnType<Parsed['check']> {
  const bare = [...bareProbes(parsed.ast)]
  for (const [args, name] of bare) args[0] = { op: '.', args: [name, 'member'] } as unknown as ASTNode
  try {
    return parsed.check()
  } finally {
    for (const [args, name] of bare) args[0] = name
  }
}

/** The arguments of each `has(name)`, and the name. */
function* bareProbes(node: ASTNode): Generator<[args: ASTNode[], name: ASTNode]> {
  const [argument] = node.op === 'call' && node.args[0] === 'has' ? node.args[1] : []
  if (node.op === 'call' && argument?.op === 'id') yield [node.args[1], argument]
  for (const part of partsOf(node)) yield* bareProbes(part)
}

/** The parts of a syntax node that are expressions themselves. */
export function partsOf(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return []
    case '.':
    case '.?':
      return [node.args[0]]
    case 'call':
      return node.args[1]
    case 'rcall':
      return [node.args[1], ...node.args[2]]
    case 'map':
      return node.args.flat()
    case '!_':
    case '-_':
      return [node.args]
    default:
      return node.args
  }
}

let made: Environment | null = null

/** Made at first use: a Worker without expressions does not pay for it when it starts. */
function environment(): Environment {
  if (made !== null) return made
  made = new Environment({
    unlistedVariablesAreDyn: true,
    homogeneousAggregateLiterals: false,
    limits: LIMITS,
  })
  // All numbers of JSON are doubles; CEL's checker would refuse `size(items) * 1.5` and `1 == 1.0`.
  const unused = () => null
  for (const [left, right] of [
    ['int', 'double'],
    ['double', 'int'],
  ] as const) {
    for (const operator of ['+', '-', '*', '/', '%'])
      made.registerOperator(`${left} ${operator} ${right}: double`, unused)
  }
  made.registerOperator('double % double: double', unused)
  made.registerOperator('int == double', unused)
  return made
}

/** Finds the first node that is not offered; `variable` is the element's name inside a comprehension. */
function problemIn(node: ASTNode, variable: string | null): ExpressionProblem | null {
  const message = refusalOf(node, variable)
  if (message !== null) return { at: node.pos, message }
  if (node.op === 'rcall' && COMPREHENSIONS.has(node.args[0])) {
    const [, receiver, [name, ...rest]] = node.args
    const inner = name?.op === 'id' ? name.args : ''
    return problemIn(receiver, variable) ?? firstProblem(rest, inner)
  }
  return firstProblem(partsOf(node), variable)
}

function firstProblem(nodes: readonly ASTNode[], variable: string | null): ExpressionProblem | null {
  for (const node of nodes) {
    const problem = problemIn(node, variable)
    if (problem !== null) return problem
  }
  return null
}

function refusalOf(node: ASTNode, variable: string | null): string | null {
  switch (node.op) {
    case 'id':
      return node.args !== variable && CEL_WORDS.has(node.args)
        ? `"${node.args}" is a word of CEL: for a field of that name write data.${node.args} or data.object.${node.args}`
        : null
    case 'value':
      return typeof node.args === 'object' && node.args !== null
        ? 'bytes and unsigned numbers are not offered: write strings and numbers as JSON has them'
        : null
    case 'map':
      return 'map literals are not offered'
    case 'call':
      return FUNCTIONS.has(node.args[0]) ? null : notOffered(`function ${node.args[0]}()`, FUNCTIONS)
    case 'rcall':
      return methodRefusal(node.args[0], variable !== null)
    default:
      return null
  }
}

function methodRefusal(name: string, isInside: boolean): string | null {
  if (name === 'matches')
    return 'matches() is not offered, since regular expressions can take forever: use contains, startsWith or endsWith'
  if (!METHODS.has(name)) return notOffered(`method ${name}()`, METHODS)
  if (!isInside || !COMPREHENSIONS.has(name)) return null
  return `${name}() cannot stand inside another of ${[...COMPREHENSIONS].join(', ')}`
}

function notOffered(what: string, offered: ReadonlySet<string>): string {
  return `there is no ${what}; there are ${[...offered].join(', ')}`
}

const LIMIT_MESSAGES: ReadonlyMap<string, string> = new Map([
  ['maxAstNodes', `it has more than ${LIMITS.maxAstNodes} parts`],
  ['maxDepth', `it is nested more than ${LIMITS.maxDepth} deep`],
  ['maxListElements', `a list has more than ${LIMITS.maxListElements} elements`],
  ['maxMapEntries', 'map literals are not offered'],
  ['maxCallArguments', `a call has more than ${LIMITS.maxCallArguments} arguments`],
])

/** The parser's errors carry a code, a summary and a range; others are bugs of the parser. */
function problemOf(error: unknown, text: string): ExpressionProblem {
  const { code, summary, range } = Object(error) as {
    code?: unknown
    summary?: unknown
    range?: { start: number; end: number }
  }
  const { start, end } = range ?? { start: 0, end: 0 }
  if (typeof summary !== 'string') return { at: start, message: 'it cannot be parsed' }
  if (summary.startsWith('has() invalid'))
    return { at: start, message: 'has() takes names joined by dots, such as has(order.total)' }
  if (code === 'limit_exceeded') {
    const [, limit = ''] = summary.split(' ')
    return { at: start, message: LIMIT_MESSAGES.get(limit) ?? summary }
  }
  if (code !== 'unexpected_token' && code !== 'unexpected_character') return { at: start, message: summary }
  const found = text.slice(start, end)
  return {
    at: start,
    message: found === '' ? 'it ends where something should follow' : `unexpected ${found}`,
  }
}
