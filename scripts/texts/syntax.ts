/** A node of a syntax tree, as far as it is looked at here. */
export type Node = { type: string; start: number; end: number; [member: string]: unknown }

const WRAPPERS = ['TSAsExpression', 'TSSatisfiesExpression', 'ParenthesizedExpression']

/** An expression without the types and brackets around it. */
export function unwrapped(node: Node | null): Node | null {
  return node !== null && WRAPPERS.includes(node.type) ? unwrapped(nodeOf(node['expression'])) : node
}

export function childrenOf(node: Node): Node[] {
  return Object.values(node).flatMap((member) =>
    Array.isArray(member) ? nodesOf(member) : (nodeOf(member) ?? []),
  )
}

export function nodesOf(member: unknown): Node[] {
  return Array.isArray(member) ? member.flatMap((each) => nodeOf(each) ?? []) : []
}

export function nodeOf(member: unknown): Node | null {
  const isNode = typeof member === 'object' && member !== null && typeof (member as Node).type === 'string'
  return isNode ? (member as Node) : null
}

/** The name of an identifier, or a key that is written as a text. */
export function nameOf(member: unknown): string {
  const node = nodeOf(member)
  const name = node?.['name'] ?? node?.['value']
  return typeof name === 'string' ? name : ''
}
